import ipaddr from "ipaddr.js";

const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

/** Azure's platform, inside every virtual machine there, at an address like any other of the internet. */
const AZURE_PLATFORM = "168.63.129.16";

/** Returns true for an IP address of the public internet, not of a local network or a special purpose. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  // An IPv4 address written as an IPv6 address is judged as IPv4.
  const address = ipaddr.process(text);
  if (address.range() !== "unicast" || address.toString() === AZURE_PLATFORM) return false;
  return address.kind() === "ipv4" || (address as ipaddr.IPv6).match(GLOBAL_IPV6);
}
