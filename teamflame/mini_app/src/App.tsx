import { useCallback, useEffect, useMemo, useState } from 'react';

import { Api, Refused, Unreachable } from './api';
import { BoardView } from './board/BoardView';
import type { Account, Launch, Selection } from './model';
import { Notice } from './Notice';
import { Picker } from './places/Picker';
import { SettingsDialog } from './SettingsDialog';
import { SignIn } from './SignIn';
import { type Launched, onBack, vibrate } from './telegram';
import { type Texts, useTexts } from './texts';

interface Props {
  launched: Launched;
}

export function App({ launched }: Props) {
  const texts = useTexts();
  const api = useMemo(() => new Api(launched.initData), [launched]);
  const [launch, setLaunch] = useState<Launch | null>(null);
  const [account, setAccount] = useState<Account | null>(null);
  const [selection, setSelection] = useState<Selection | null>(null);
  const [link, setLink] = useState<Selection | null>(null);
  const [isChoosing, setChoosing] = useState(false);
  const [hasSettings, setSettings] = useState(false);
  const [boardName, setBoardName] = useState('');
  const [notice, setNotice] = useState('');
  const [isExpired, setExpired] = useState(false);

  const report = useCallback(
    (error: unknown) => {
      vibrate('error');
      if (error instanceof Refused && error.code === 'sign_in_needed') setAccount(null);
      else if (error instanceof Refused && error.status === 401) setExpired(true);
      else setNotice(noticeOf(error, texts));
    },
    [texts],
  );

  const begin = useCallback(async () => {
    setNotice('');
    try {
      const answer = await api.launch();
      setAccount(answer.account);
      setSelection(answer.selection);
      setLaunch(answer);
    } catch (error) {
      report(error);
    }
  }, [api, report]);
  useEffect(() => void begin(), [begin]);

  const linked = deepLink(launch?.start_param ?? launched.startParam);
  useEffect(() => {
    if (!account || !linked) return;
    placeOf(api, linked).then(setLink, (error: unknown) => {
      if (error instanceof Refused && error.status === 404) setNotice(texts.taskIsGone);
      else report(error);
    });
    // The link is that of the launch, so it is followed once for each account.
  }, [account, api]);

  const isPicking = isChoosing || !(link ?? selection);
  useEffect(() => (isChoosing ? onBack(() => setChoosing(false)) : undefined), [isChoosing]);

  if (isExpired) return <p className="waiting">{texts.launchAgain}</p>;
  if (!launch) {
    return (
      <div className="waiting">
        <p role="status">{notice || texts.loading}</p>
        {notice && (
          <button type="button" onClick={() => void begin()}>
            {texts.retry}
          </button>
        )}
      </div>
    );
  }
  if (!account) {
    return (
      <>
        <SignIn api={api} onSignedIn={setAccount} report={report} />
        <Notice text={notice} onGone={setNotice} />
      </>
    );
  }
  const boardId = (link ?? selection)?.board_id ?? null;
  return (
    <>
      <header className="bar">
        {isPicking ? (
          <span className="bar-title">TeamFlame</span>
        ) : (
          <h1>
            <button type="button" className="quiet bar-title" onClick={() => setChoosing(true)}>
              {boardName || texts.boards} <span aria-hidden="true">▾</span>
            </button>
          </h1>
        )}
        <button type="button" className="quiet" onClick={() => setSettings(true)}>
          {texts.settings}
        </button>
      </header>
      {isPicking || !boardId ? (
        <Picker
          api={api}
          selection={selection}
          report={report}
          onChosen={(chosen) => {
            setSelection(chosen);
            setLink(null);
            setChoosing(false);
          }}
        />
      ) : (
        <BoardView
          key={boardId}
          api={api}
          boardId={boardId}
          firstTaskId={link && linked?.kind === 'task' ? linked.id : null}
          report={report}
          onNamed={setBoardName}
        />
      )}
      {hasSettings && (
        <SettingsDialog
          api={api}
          account={account}
          boardId={isPicking ? null : boardId}
          report={report}
          onSignedOut={() => {
            setSettings(false);
            setSelection(null);
            setLink(null);
            setAccount(null);
          }}
          onClose={() => setSettings(false)}
        />
      )}
      <Notice text={notice} onGone={setNotice} />
    </>
  );
}

interface Link {
  kind: 'task' | 'board';
  id: string;
}

/** Reads a link to one card (`t_<id>`) or board (`b_<id>`). */
function deepLink(startParam: string | null): Link | null {
  const match = /^([tb])_([A-Za-z0-9]+)$/.exec(startParam ?? '');
  if (!match?.[2]) return null;
  return { kind: match[1] === 't' ? 'task' : 'board', id: match[2] };
}

async function placeOf(api: Api, link: Link): Promise<Selection> {
  const boardId = link.kind === 'task' ? (await api.task(link.id)).board_id : link.id;
  return { board_id: boardId, project_id: '', space_id: '' };
}

function noticeOf(error: unknown, texts: Texts): string {
  if (error instanceof Unreachable) return texts.unreachable;
  if (!(error instanceof Refused)) throw error;
  if (error.status === 409) return texts.changedMeanwhile;
  if (error.status === 429) return texts.limited;
  if (error.status >= 500) return texts.unreachable;
  return error.detail ? `${texts.notDone} ${error.detail}` : texts.notDone;
}
