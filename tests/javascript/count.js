// Count the statements of a file with N3.js: node count.js FOLDER-OF-N3 FILE MEDIA-TYPE
const [folder, file, format] = process.argv.slice(2);
const { Parser } = require(folder);
const text = require("fs").readFileSync(file, "utf8");
console.log(new Parser({ format: format.split(";")[0] }).parse(text).length);
