import { readFile } from "node:fs/promises";
import { InvalidSettings, ROLE_URLS, type Settings } from "../config.ts";
import { fileIn, formatUrl, parseUrl } from "../database/url.ts";

/**
 * Returns the settings with the texts of certificates and keys in their URLs, in the place of file names.
 * @throws {InvalidSettings} If a file cannot be read, or is neither a certificate nor a key.
 */
export async function withCertificates<S extends Settings>(settings: S): Promise<S> {
  const read = { ...settings };
  for (const name of ["DATABASE_URL", ...ROLE_URLS] as const) {
    const url: string | undefined = read[name];
    if (url !== undefined) Object.assign(read, { [name]: await withTexts(name, url) });
  }
  return read;
}

async function withTexts(setting: string, url: string): Promise<string> {
  const place = parseUrl(url);
  for (let name = fileIn(place); name !== undefined; name = fileIn(place)) {
    const file = place.parameters[name]!;
    place.parameters[name] = await readPem(file).catch(({ message }: Error) => {
      throw new InvalidSettings(`Cannot start: ${setting} names a file in ${name}, and ${message}`);
    });
  }
  return formatUrl(place);
}

async function readPem(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file} cannot be read: ${error.code}`);
  });
  if (!text.includes("-----BEGIN ")) throw new Error(`${file} has neither a certificate nor a key (PEM)`);
  return text;
}
