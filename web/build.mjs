// Bundles the script and the style sheet of the atlas: node build.mjs [FOLDER].
import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, "../lib/claimatlas/atlas/static");

const common = { absWorkingDir: here, bundle: true, minify: true, legalComments: "none", charset: "utf8", logLevel: "warning" };
const banner = "/* claimatlas, Apache-2.0. Third parties: THIRD_PARTY.txt */";
await build({
  ...common,
  entryPoints: ["src/main.ts"],
  outfile: join(folder, "atlas.js"),
  format: "iife",
  target: "es2020",
  banner: { js: banner },
});
await build({
  ...common,
  entryPoints: ["src/atlas.css"],
  outfile: join(folder, "atlas.css"),
  target: ["chrome111", "firefox113", "safari16.4"],
  banner: { css: banner },
});

const parts = Object.keys(JSON.parse(readFileSync(join(here, "package.json"), "utf8")).dependencies).map((name) => {
  const { version, license } = JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8"));
  const text = readFileSync(join(here, "node_modules", name, "LICENSE"), "utf8").trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
});
const head = "Software of others in atlas.js, each under its own licence.\n\n";
writeFileSync(join(folder, "THIRD_PARTY.txt"), head + parts.join(`\n${"-".repeat(80)}\n\n`));
