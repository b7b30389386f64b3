// The editor of a cell: CodeMirror 6 with Python colours, indentation and completion of names; loaded on first edit.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, acceptCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The colours are CSS variables of live.css, equal to those of the static code, for both themes.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword, tags.operatorKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName))], color: "var(--code-function)" },
  { tag: [tags.className, tags.definition(tags.className)], color: "var(--code-function)" },
  { tag: tags.operator, color: "var(--code-operator)" },
]);

// A kubectl command up to the cursor as `%kubectl get p`, in a line or in a cell of its own; else nothing.
function magicLine(context) {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const found = /^\s*(?:[\w.]+\s*=\s*)?(%kubectl\s.*)$/.exec(before);
  if (found) return found[1];
  const cell = line.number > 1 && context.state.doc.line(1).text.trimStart().startsWith("%%kubectl");
  return cell && before.trim() ? `%kubectl ${before.trimStart()}` : null;
}

export function openEditor({ parent, text, label, changed, run, names }) {
  const complete = async (context) => {
    const command = magicLine(context);
    if (command) {
      const word = /\S*$/.exec(command)[0];
      const list = await names(command);
      return list.length ? { from: context.pos - word.length, options: list.map((label) => ({ label })), validFor: /^[^\s,/=]*$/ } : null;
    }
    const found = context.matchBefore(/[\w.]+/);
    if (!found && !context.explicit) return null;
    const typed = found?.text ?? "";
    const list = await names(typed);
    const from = (found?.from ?? context.pos) + typed.lastIndexOf(".") + 1;
    return { from, options: list.map((word) => ({ label: word })), validFor: /^\w*$/ };
  };
  const go = () => { run(); return true; };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([{ key: "Shift-Enter", run: go }, { key: "Mod-Enter", run: go }, { key: "Tab", run: acceptCompletion }]),
        history(), closeBrackets(), bracketMatching(), indentOnInput(), indentUnit.of("    "),
        python(), syntaxHighlighting(colours),
        autocompletion({ override: [complete], icons: false }),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ "aria-label": `${label} 편집기. Esc 다음 Tab으로 빠져나간다.`, spellcheck: "false" }),
        EditorView.updateListener.of((update) => { if (update.docChanged) changed(); }),
      ],
    }),
  });
  parent.classList.add("live-editing");
  return {
    text: () => view.state.doc.toString(),
    set: (value) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } }),
    focus: () => view.focus(),
  };
}
