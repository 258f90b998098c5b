// The panel on the right: how the check goes, and what it found.
//
// Everything that comes from a notebook or from the service enters the page as text, never as HTML.

/** An element with text or children. */
function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) {
    made.className = className;
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

function points(number) {
  return `${number} ${number === 1 ? 'point' : 'points'}`;
}

function countOf(passed, seen, number) {
  const checks = seen === 1 ? 'check' : 'checks';
  return seen === 0 ? points(number) : `${passed} of ${seen} ${checks} passed · ${points(number)}`;
}

const MARKS = { passed: '✓', failed: '✗', hidden: '·' };

function stateOf(check) {
  if (check.verdict === null) {
    return 'hidden';
  }
  return check.verdict === 'OK' ? 'passed' : 'failed';
}

export class Panel {
  /** `find` returns the open notebook at a path. `show` is set by whoever adds the panel to the page. */
  constructor(find, app) {
    this.find = find;
    this.app = app;
    this.path = '';
    this.isBusy = false;
    this.show = () => undefined;
    this.status = element('p', 'mlsys-status');
    this.status.setAttribute('role', 'status');
    this.progress = element('progress', 'mlsys-progress');
    this.progress.hidden = true;
    this.body = element('div', 'mlsys-body');
    this.node = element('div', 'mlsys-panel');
    this.node.tabIndex = -1;
    this.heading = element('h2', 'mlsys-heading', 'Check my work');
    this.node.append(this.heading, this.status, this.progress, this.body);
    this.status.textContent =
      'Open an assignment and press “Check my work”: its visible checks run as the grader runs them.';
  }

  /** A check has begun. */
  begin(path) {
    this.path = path;
    this.isBusy = true;
    this.node.dataset.state = 'busy';
    this.body.replaceChildren();
    this.progress.hidden = false;
    this.progress.removeAttribute('value');
    this.say('Saving and sending the notebook…');
  }

  /** News while it runs. */
  tell(news) {
    if (news.state === 'waiting') {
      const before = news.position === 1 ? '1 check is' : `${news.position} checks are`;
      this.say(`Waiting: ${before} before yours.`);
    } else if (news.state === 'running' && news.of > 0) {
      this.say('Running your cells and the visible checks…');
      this.progress.max = news.of;
      this.progress.value = news.done;
    } else if (news.state === 'running') {
      this.say('Starting a sandbox…');
    }
  }

  /** The report is there. */
  end(report) {
    this.finish(report.all_passed ? 'passed' : 'failed');
    this.say(report.summary);
    const name = this.path.split('/').at(-1);
    this.body.replaceChildren(
      element('p', 'mlsys-about', `${report.title || report.assignment} · ${name}`),
      ...notes('Your notebook was repaired', report.repairs),
      ...report.cells.map(cell => this.cell(cell)),
      ...report.questions.map(question => this.question(question))
    );
  }

  /** There is no report, and why. */
  fail(words) {
    this.finish('error');
    this.say(words);
  }

  /** The notebook was changed after the check. */
  outdate(path) {
    if (path !== this.path || this.isBusy || this.node.dataset.state === 'error') {
      return;
    }
    const words = 'The notebook has changed since this check.';
    this.body.prepend(element('p', 'mlsys-outdated', words));
  }

  say(words) {
    // A status that says the same again would be read out again.
    if (this.status.textContent !== words) {
      this.status.textContent = words;
    }
  }

  finish(state) {
    this.isBusy = false;
    this.progress.hidden = true;
    this.node.dataset.state = state;
  }

  question(question) {
    const seen = question.checks.filter(check => check.verdict !== null);
    const passed = seen.filter(check => check.verdict === 'OK').length;
    const head = element(
      'div',
      'mlsys-question-head',
      element('h3', '', question.title),
      element('span', 'mlsys-count', countOf(passed, seen.length, question.points))
    );
    if (passed < seen.length) {
      head.append(this.jump(question.id, question.title));
    }
    const list = element('ul', 'mlsys-checks', ...question.checks.map(check => checkItem(check)));
    return element('section', 'mlsys-question', head, list);
  }

  cell(cell) {
    const head = element('div', 'mlsys-question-head', element('h3', '', `Your cell: ${cell.title}`));
    if (cell.id) {
      head.append(this.jump(cell.id, cell.title));
    }
    const words = element('p', 'mlsys-words', cell.words);
    const text = cell.text ? element('pre', 'mlsys-message', cell.text) : null;
    return element('section', 'mlsys-question mlsys-cell', head, words, text);
  }

  /** A button that leads to a cell of the notebook. */
  jump(id, title) {
    const button = element('button', 'mlsys-jump', 'Go to cell');
    button.type = 'button';
    button.setAttribute('aria-label', `Go to the cell of ${title}`);
    button.addEventListener('click', () => {
      const notebook = this.find(this.path);
      const index = notebook?.content.widgets.findIndex(
        cell => cell.model.getMetadata('nbgrader')?.grade_id === id
      );
      if (notebook && index >= 0) {
        this.app.shell.activateById(notebook.id);
        notebook.content.activeCellIndex = index;
        void notebook.content.scrollToItem(index, 'start');
      }
    });
    return button;
  }
}

function checkItem(check) {
  const state = stateOf(check);
  const mark = element('span', 'mlsys-mark', MARKS[state]);
  mark.setAttribute('aria-hidden', 'true');
  const line = element(
    'div',
    'mlsys-check-line',
    mark,
    element('span', 'mlsys-title', check.title),
    element('span', 'mlsys-points', points(check.points)),
    element('span', 'mlsys-words', check.words)
  );
  const item = element('li', 'mlsys-check', line);
  item.dataset.state = state;
  if (check.message) {
    item.append(element('pre', 'mlsys-message', check.message));
  }
  return item;
}

function notes(title, sentences) {
  if (sentences.length === 0) {
    return [];
  }
  const list = element('ul', '', ...sentences.map(sentence => element('li', '', sentence)));
  return [element('details', 'mlsys-notes', element('summary', '', title), list)];
}
