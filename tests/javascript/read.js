// Reads an export by a parser of another family and prints what it holds.
//   node read.js canonize FILE.nq     canonical N-Quads (RDFC-1.0) of N-Quads, by rdf-canonize
//   node read.js jsonld FILE.jsonld   the same of JSON-LD, by jsonld.js; what it would drop is an error
//   node read.js n3 MEDIA-TYPE FILE   one quad a line, by N3.js; a triple term as <<( s p o )>>
"use strict";
const fs = require("node:fs");
const jsonld = require("jsonld");
const N3 = require("n3");

const REFUSE = async (url) => {
  throw new Error(`${url} is not in the file, and a file must be whole`);
};
const CANONICAL = { algorithm: "RDFC-1.0", format: "application/n-quads", documentLoader: REFUSE };

function term(node) {
  switch (node.termType) {
    case "NamedNode":
      return `<${node.value}>`;
    case "BlankNode":
      return `_:${node.value}`;
    case "Literal":
      return JSON.stringify(node.value) + (node.language ? `@${node.language}` : `^^<${node.datatype.value}>`);
    case "Quad":
      return `<<( ${term(node.subject)} ${term(node.predicate)} ${term(node.object)} )>>`;
    default:
      return "";
  }
}

function line(quad) {
  const words = [quad.subject, quad.predicate, quad.object, quad.graph].map(term).filter(Boolean);
  return `${words.join(" ")} .\n`;
}

async function main([how, ...rest]) {
  const text = fs.readFileSync(rest.at(-1), "utf-8");
  if (how === "canonize") {
    return jsonld.canonize(text, { ...CANONICAL, inputFormat: "application/n-quads" });
  }
  if (how === "jsonld") {
    return jsonld.canonize(JSON.parse(text), { ...CANONICAL, safe: true });
  }
  return new N3.Parser({ format: rest[0] }).parse(text).map(line).join("");
}

main(process.argv.slice(2)).then((text) => process.stdout.write(text));
