// Plays a Python file in Pyodide under Node and prints what it prints.
//   node pyodide_story.mjs PYODIDE_DIR STORY.py FOLDER...     each FOLDER is put on Python's path
import { pathToFileURL } from "node:url";
import { basename, dirname, join, resolve } from "node:path";

const [pyodideFolder, story, ...folders] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(resolve(pyodideFolder), "pyodide.mjs")).href);
const env = { PYTHONHASHSEED: "5", HOME: "/home/pyodide" };
const pyodide = await loadPyodide({ indexURL: resolve(pyodideFolder) + "/", env });
for (const [index, folder] of [dirname(resolve(story)), ...folders].entries()) {
  pyodide.mountNodeFS(`/mounted/${index}`, resolve(folder));
  pyodide.runPython(`import sys; sys.path.append("/mounted/${index}")`);
}
pyodide.runPython(`import runpy; print(sys.version.split()[0]); runpy.run_path("/mounted/0/${basename(story)}")`);
