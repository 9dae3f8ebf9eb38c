import { inject } from "vitest";
import { testOwners } from "../support/owners.ts";

testOwners(() => inject("adminUrl"), { copies: ["rename"], names: [`50%25 of "café"`] });
