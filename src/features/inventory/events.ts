export type StockReceived = { type: "StockReceived"; data: { quantity: number } };
export type StockReserved = { type: "StockReserved"; data: { orderId: string; quantity: number } };
export type StockReleased = { type: "StockReleased"; data: { orderId: string; quantity: number } };

export type StockEvent = StockReceived | StockReserved | StockReleased;
