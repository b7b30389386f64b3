// The theme asks at once of every code block whether it scrolls, to make it a stop of the Tab key: the browser would have
// to lay out the whole chapter before the reader sees its top. Here each is asked when it comes near the screen; until
// then it is a stop. tools/site_pack.mjs puts the call into the theme's script.
window.tabStop = (() => {
  const scrolls = (node) => node.scrollWidth > node.clientWidth || node.scrollHeight > node.clientHeight;
  const near = new IntersectionObserver((entries) => {
    const asked = entries.filter((entry) => entry.isIntersecting).map(({ target }) => [target, scrolls(target)]);
    for (const [node, yes] of asked) node.tabIndex = yes ? 0 : -1;
  }, { rootMargin: "50%" });
  return (node) => {
    if (!node.hasAttribute("tabindex")) node.tabIndex = 0;
    near.unobserve(node);
    near.observe(node);
  };
})();
