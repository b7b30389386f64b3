// Compiles Python files with the very Python that runs in the page, so that its first import need not.
//   node site_compile.mjs PYODIDE_DIR ours SOURCE.zip TARGET.tar.xz MODULES.txt   adds a .pyc to each .py, keeps ours
//   node site_compile.mjs PYODIDE_DIR plain SOURCE.zip TARGET.tar.xz              the same without a trial run
//   node site_compile.mjs PYODIDE_DIR stdlib SOURCE.zip TARGET.zip MODULES.txt    .pyc instead of .py for MODULES
// MODULES is the list of standard modules that a first cell imports: written by the first form, read by the second.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";

const [folder, mode, source, target, modules] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(resolve(folder), "pyodide.mjs")).href);
const pyodide = await loadPyodide({ indexURL: resolve(folder) + "/", env: { PYTHONHASHSEED: "0", HOME: "/home/pyodide" } });
pyodide.FS.writeFile("/source.zip", readFileSync(source));
if (mode === "stdlib") pyodide.FS.writeFile("/modules.txt", readFileSync(modules));

const COMMON = `
import importlib.util, importlib._bootstrap_external as external, io, sys, tarfile, zipfile

def compiled(name, data):
    code = compile(data, name, "exec", dont_inherit=True)
    return bytes(external._code_to_hash_pyc(code, importlib.util.source_hash(data), False))

with zipfile.ZipFile("/source.zip") as archive:
    source = {name: archive.read(name) for name in sorted(archive.namelist()) if not name.endswith("/")}
`;

const OURS = `
files = dict(source)
for name, data in source.items():
    if name.endswith(".py") and name.startswith("lib/"):
        head, _, tail = name.rpartition("/")
        if "/minik8s/" not in name:  # only our own source may be shown in a chapter
            files[name + "c"] = compiled("/" + name, files.pop(name))
            continue
        files[f"{head}/__pycache__/{tail[:-3]}.cpython-314.pyc"] = compiled("/" + name, data)
with tarfile.open("/target", "w:xz", preset=9, format=tarfile.PAX_FORMAT) as archive:
    for name in sorted(files):
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = len(files[name]), 1767225600, 0o644
        archive.addfile(info, io.BytesIO(files[name]))
`;

const START = `
with tarfile.open("/target") as archive:
    archive.extractall("/", filter="data")
import book_runtime
runtime = book_runtime.Runtime(lambda *content: None)
await runtime.run("0", "from minik8s import lab\\nk = lab.connect()\\nk.nodes\\n%kubectl get pods")
zipped = [m.__spec__.origin for m in list(sys.modules.values()) if getattr(m, "__spec__", None) and m.__spec__.origin]
open("/modules.txt", "w").write("\\n".join(sorted({o.split("python314.zip/")[1] for o in zipped if "python314.zip/" in o})) + "\\n")
`;

const STDLIB = `
# What a page cannot use: no processes, no terminal, no servers.
LEFT_OUT = ("multiprocessing/", "_pyrepl/", "xmlrpc/", "wsgiref/", "ensurepip/", "idlelib/", "mailbox", "imaplib", "ftplib",
            "poplib", "smtplib", "nntplib", "telnetlib", "pydoc_data/", "turtle", "curses/", "dbm/", "tkinter/", "unittest/",
            "pdb.py", "doctest.py", "_pyio.py", "_pydatetime.py", "venv/", "zipapp.py", "plistlib.py", "socketserver.py",
            "http/server.py", "sqlite3/", "_osx_support.py", "_aix_support.py", "_ios_support.py", "_android_support.py",
            "modulefinder.py", "pickletools.py", "webbrowser.py", "optparse.py", "wave.py", "netrc.py", "profile.py", "cProfile.py",
            "pstats.py", "trace.py", "profiling/", "pty.py", "ctypes/macholib/", "xml/sax/", "xml/dom/pulldom.py")
# Letters of other scripts' old computers; Korean ones (cp949, euc_kr), UTF-8 and Latin-1 stay.
LEFT_OUT += tuple(f"encodings/{name}" for name in ("cp0", "cp1", "cp4", "cp5", "cp7", "cp8", "cp93", "cp95", "mac_", "koi8_",
            "kz1048", "palmos", "ptcp154", "tis_620", "hp_roman8", *(f"iso8859_{n}" for n in (*range(2, 10), *range(10, 17)))))
KEPT = ("_pyrepl/__init__.py", "_pyrepl/pager.py")  # help() pages through it
wanted = set(open("/modules.txt").read().split())
files = {}
for name, data in source.items():
    if name in wanted:
        files[name + "c"] = compiled(name, data)
    elif name in KEPT or not name.startswith(LEFT_OUT):
        files[name] = data
with zipfile.ZipFile("/target", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name in sorted(files):
        info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        archive.writestr(info, files[name])
`;

await pyodide.runPythonAsync(COMMON + { ours: OURS + START, plain: OURS, stdlib: STDLIB }[mode]);
writeFileSync(target, pyodide.FS.readFile("/target"));
if (mode === "ours") writeFileSync(modules, pyodide.FS.readFile("/modules.txt"));
