// Compiles Python files with the very Python that runs in the page, so that its first import need not.
// node site_compile.mjs PYODIDE_DIR MODE SOURCE.zip TARGET.zip   (MODE: "beside" keeps the .py, "instead" drops it)
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";

const [folder, mode, source, target] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(resolve(folder), "pyodide.mjs")).href);
const pyodide = await loadPyodide({ indexURL: resolve(folder) + "/" });
pyodide.FS.writeFile("/source.zip", readFileSync(source));
pyodide.globals.set("mode", mode);
pyodide.runPython(`
import importlib.util, importlib._bootstrap_external as external, zipfile

EPOCH = (2026, 1, 1, 0, 0, 0)
files = {}
with zipfile.ZipFile("/source.zip") as archive:
    for name in archive.namelist():
        if name.endswith("/"):
            continue
        data = archive.read(name)
        if not name.endswith(".py") or name.startswith("home/"):
            files[name] = data
            continue
        try:
            code = compile(data, name if mode == "instead" else "/" + name, "exec", dont_inherit=True)
        except SyntaxError:
            files[name] = data
            continue
        pyc = bytes(external._code_to_hash_pyc(code, importlib.util.source_hash(data), False))
        if mode == "instead":
            files[name + "c"] = pyc
        else:
            head, _, tail = name.rpartition("/")
            files[name] = data
            files[(head + "/" if head else "") + "__pycache__/" + tail[:-3] + ".cpython-314.pyc"] = pyc
with zipfile.ZipFile("/target.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name in sorted(files):
        info = zipfile.ZipInfo(name, EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        archive.writestr(info, files[name])
`);
writeFileSync(target, pyodide.FS.readFile("/target.zip"));
