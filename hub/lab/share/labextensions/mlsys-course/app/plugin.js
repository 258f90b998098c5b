// What the extension adds to JupyterLab: commands, where to find them, a button on assignments.

import { checkNotebook } from './check.js';
import { Panel } from './panel.js';

const CHECK = 'mlsys:check';
const ASSIGNMENTS = 'mlsys:assignments';
const COURSE = 'mlsys:course-page';
const NBGRADER_LIST = 'nbgrader:open-assignment-list';
const TOOLBAR_PLACE = 10;

const CHECK_SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" ' +
  'fill="#616161" d="M19 3H5a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h14a2 2 0 0 0 2-2V5a2 2 0 0 0-2-2zm-9 14-5-5 ' +
  '1.4-1.4 3.6 3.6 7.6-7.6L19 8z"/></svg>';
const LIST_SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" ' +
  'fill="#616161" d="M4 5h3v3H4zm5 0h11v3H9zM4 10.500h3v3H4zm5 0h11v3H9zM4 16h3v3H4zm5 0h11v3H9z"/></svg>';
const COURSE_SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" ' +
  'fill="#616161" d="M12 3 1 9l4 2.200v6l7 3.800 7-3.800v-6l2-1.100V17h2V9zm6.800 6L12 12.700 5.200 9 12 ' +
  '5.300zM17 16l-5 2.700L7 16v-3.700l5 2.700 5-2.700z"/></svg>';

export function plugins(lab) {
  // What a page doesn't have is left out of the tokens, and comes as undefined.
  const optional = {
    palette: lab['@jupyterlab/apputils'].ICommandPalette,
    launcher: lab['@jupyterlab/launcher'].ILauncher,
    menu: lab['@jupyterlab/mainmenu'].IMainMenu
  };
  const there = Object.keys(optional).filter(name => optional[name]);
  return [
    {
      id: 'mlsys-course:plugin',
      description: 'Check my work, the assignment list and the course page.',
      autoStart: true,
      requires: [lab['@jupyterlab/notebook'].INotebookTracker],
      optional: there.map(name => optional[name]),
      activate: (app, tracker, ...given) => {
        const places = Object.fromEntries(there.map((name, index) => [name, given[index]]));
        addStyle();
        const icons = makeIcons(lab);
        const panel = addPanel(lab, app, tracker, icons);
        addCommands(lab, app, tracker, panel, icons);
        addPlaces(lab, app, places);
        addButton(lab, app, icons);
      }
    }
  ];
}

/** Whether a notebook is an assignment: nbgrader's marks or ours are in it. */
export function isAssignment(model) {
  if (model.getMetadata('mlsys')) {
    return true;
  }
  return Array.from(model.cells).some(cell => cell.getMetadata('nbgrader'));
}

function addStyle() {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = new URL('style.css', import.meta.url);
  document.head.appendChild(link);
}

function makeIcons(lab) {
  const { LabIcon } = lab['@jupyterlab/ui-components'];
  return {
    check: new LabIcon({ name: 'mlsys:check', svgstr: CHECK_SVG }),
    list: new LabIcon({ name: 'mlsys:list', svgstr: LIST_SVG }),
    course: new LabIcon({ name: 'mlsys:course', svgstr: COURSE_SVG })
  };
}

function addPanel(lab, app, tracker, icons) {
  const panel = new Panel(path => tracker.find(each => each.context.path === path), app);
  const widget = new (lab['@lumino/widgets'].Widget)({ node: panel.node });
  widget.id = 'mlsys-check';
  widget.title.icon = icons.check;
  widget.title.caption = 'Check my work';
  widget.node.style.minWidth = '320px'; // the layout reads it before the style sheet is there
  widget.node.setAttribute('role', 'region');
  widget.node.setAttribute('aria-label', 'Check my work');
  app.shell.add(widget, 'right', { rank: 50 });
  panel.show = () => app.shell.activateById(widget.id);
  return panel;
}

function addCommands(lab, app, tracker, panel, icons) {
  const { PageConfig } = lab['@jupyterlab/coreutils'];
  const current = () => tracker.currentWidget;
  app.commands.addCommand(CHECK, {
    label: 'Check My Work',
    caption: 'Save this notebook and run its visible checks as the grader does',
    icon: icons.check,
    isEnabled: () => Boolean(current()?.model && isAssignment(current().model)),
    execute: () => current() && checkNotebook(lab, current(), panel)
  });
  app.commands.addCommand(ASSIGNMENTS, {
    label: 'Assignment List',
    caption: 'Fetch assignments and submit them',
    icon: icons.list,
    isVisible: () => app.commands.hasCommand(NBGRADER_LIST),
    execute: () => app.commands.execute(NBGRADER_LIST)
  });
  app.commands.addCommand(COURSE, {
    label: 'Course Page',
    caption: 'Due dates, receipts, points and feedback, in a new tab',
    icon: icons.course,
    isVisible: () => Boolean(PageConfig.getOption('mlsysCoursePage')),
    execute: () => {
      window.open(PageConfig.getOption('mlsysCoursePage'), '_blank', 'noopener');
    }
  });
  tracker.currentChanged.connect(() => app.commands.notifyCommandChanged(CHECK));
}

function addPlaces(lab, app, { palette, launcher, menu }) {
  const { Menu, Widget } = lab['@lumino/widgets'];
  const { CommandToolbarButton, Toolbar } = lab['@jupyterlab/ui-components'];
  for (const command of [CHECK, ASSIGNMENTS, COURSE]) {
    palette?.addItem({ command, category: 'Course' });
  }
  for (const [rank, command] of [ASSIGNMENTS, COURSE].entries()) {
    launcher?.add({ command, category: 'Course', rank });
  }
  if (menu) {
    const courseMenu = new Menu({ commands: app.commands });
    courseMenu.title.label = 'Course';
    courseMenu.id = 'mlsys-menu';
    [ASSIGNMENTS, CHECK, COURSE].forEach(command => courseMenu.addItem({ command }));
    menu.addMenu(courseMenu, true, { rank: 90 });
  }
  const bar = new Toolbar();
  bar.id = 'mlsys-bar';
  bar.addClass('mlsys-bar');
  for (const id of [ASSIGNMENTS, COURSE]) {
    bar.addItem(id, new CommandToolbarButton({ commands: app.commands, id }));
  }
  app.shell.add(bar, 'top', { rank: 900 });
}

function addButton(lab, app, icons) {
  const { ToolbarButton } = lab['@jupyterlab/ui-components'];
  app.docRegistry.addWidgetExtension('Notebook', {
    createNew: (notebook, context) => {
      const button = new ToolbarButton({
        className: 'mlsys-button',
        icon: icons.check,
        label: 'Check my work',
        tooltip: 'Save this notebook and run its visible checks as the grader does',
        onClick: () => {
          app.shell.activateById(notebook.id);
          return app.commands.execute(CHECK);
        }
      });
      void context.ready.then(() => {
        if (!notebook.isDisposed && isAssignment(context.model)) {
          notebook.toolbar.insertItem(TOOLBAR_PLACE, 'mlsysCheck', button);
          app.commands.notifyCommandChanged(CHECK);
        }
      });
      return button;
    }
  });
}
