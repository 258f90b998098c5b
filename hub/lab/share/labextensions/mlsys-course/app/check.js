// Saves a notebook, has it checked, and tells the panel how it goes.

const LOST = 'The connection was lost before the check ended. Check again.';

/** Checks one notebook; whatever happens ends in words on the panel. */
export async function checkNotebook(lab, notebook, panel) {
  const { context } = notebook;
  if (panel.isBusy) {
    panel.show();
    return;
  }
  panel.begin(context.path);
  panel.show();
  try {
    if (context.model.dirty && !context.model.readOnly) {
      await context.save();
    }
    panel.end(await ask(lab, context.path, news => panel.tell(news)));
    context.model.contentChanged.connect(function changed() {
      context.model.contentChanged.disconnect(changed);
      panel.outdate(context.path);
    });
  } catch (error) {
    panel.fail(error instanceof Error ? error.message : String(error));
  }
}

/** The report of the course service. Throws an Error with words for the student. */
async function ask(lab, path, tell) {
  const { ServerConnection } = lab['@jupyterlab/services'];
  const { URLExt } = lab['@jupyterlab/coreutils'];
  const settings = ServerConnection.makeSettings();
  const url = URLExt.join(settings.baseUrl, 'mlsys', 'check');
  const response = await ServerConnection.makeRequest(
    url,
    { method: 'POST', body: JSON.stringify({ path }) },
    settings
  );
  if (!response.ok) {
    throw new Error(await wordsOf(response));
  }
  let last = null;
  for await (const news of lines(response.body)) {
    last = news;
    tell(news);
  }
  if (last?.state === 'failed') {
    throw new Error(last.message);
  }
  if (last?.state !== 'done') {
    throw new Error(LOST);
  }
  return last.report;
}

async function wordsOf(response) {
  try {
    const { error, do: next, message } = await response.json();
    const words = [error ?? message, next].filter(Boolean).join('. ');
    return words.charAt(0).toUpperCase() + words.slice(1);
  } catch {
    return `The server answered ${response.status}. Try again in a minute.`;
  }
}

/** The JSON of each line of a stream, as it comes. */
async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    const parts = (rest + (value ?? '')).split('\n');
    rest = parts.pop();
    yield* parts.filter(Boolean).map(text => JSON.parse(text));
    if (done) {
      return;
    }
  }
}
