// The container that JupyterLab loads, written by hand: there is nothing to build.
//
// JupyterLab calls init with its shared modules and get("./extension") for a factory of our module
// (webpack's module federation). The parts are ordinary ES modules beside this file.
(() => {
  const here = document.currentScript.src;
  const NEEDED = [
    '@jupyterlab/apputils',
    '@jupyterlab/coreutils',
    '@jupyterlab/launcher',
    '@jupyterlab/mainmenu',
    '@jupyterlab/notebook',
    '@jupyterlab/services',
    '@jupyterlab/ui-components',
    '@lumino/widgets'
  ];
  let scope = null;

  // The page has one version of each of these; were there two, the loaded one is the one in use.
  // Jupyter's other pages (Notebook 7) lack some of them.
  async function shared(name) {
    const versions = Object.values(scope[name] ?? {});
    const chosen = versions.find(each => each.loaded) ?? versions.at(-1);
    return chosen ? (await chosen.get())() : {};
  }

  async function load() {
    const modules = await Promise.all(NEEDED.map(shared));
    const lab = Object.fromEntries(NEEDED.map((name, index) => [name, modules[index]]));
    const { plugins } = await import(new URL('plugin.js', here));
    return { __esModule: true, default: plugins(lab) };
  }

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB['mlsys-course'] = {
    init: sharedScope => {
      scope = sharedScope;
    },
    get: async () => {
      const module = await load();
      return () => module;
    }
  };
})();
