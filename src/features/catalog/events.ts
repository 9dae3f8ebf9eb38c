export type ProductAdded = { type: "ProductAdded"; data: { name: string; priceCents: number } };
export type PriceChanged = { type: "PriceChanged"; data: { priceCents: number } };

export type ProductEvent = ProductAdded | PriceChanged;
