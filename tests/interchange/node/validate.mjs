// Reads {"schema": text, "documents": {name: text}}; answers {name: [what is wrong with it]}.
import { text } from 'node:stream/consumers';
import { validateXML } from 'xmllint-wasm';

const { schema, documents } = JSON.parse(await text(process.stdin));
const xml = Object.entries(documents).map(([fileName, contents]) => ({ fileName, contents }));
const { errors } = await validateXML({ xml, schema: [schema], initialMemoryPages: 512, maxMemoryPages: 4096 });
const found = Object.fromEntries(xml.map(({ fileName }) => [fileName, []]));
for (const error of errors) {
  if (error.message.endsWith('.xml fails to validate')) continue; // its sum, after the faults
  if (!found[error.loc?.fileName]) throw new Error(error.rawMessage);
  found[error.loc.fileName].push(error.message);
}
console.log(JSON.stringify(found));
