import { useEffect, useState } from 'react';

import type { Api } from './api';
import { Dialog } from './Dialog';
import { type Account, NOTIFICATION_KINDS, type NotificationChoice } from './model';
import { useTexts } from './texts';

interface Props {
  api: Api;
  account: Account;
  boardId: string | null;
  onSignedOut: () => void;
  onClose: () => void;
  report: (error: unknown) => void;
}

export function SettingsDialog({ api, account, boardId, onSignedOut, onClose, report }: Props) {
  const texts = useTexts();
  const [kinds, setKinds] = useState<NotificationChoice | null>(null);

  useEffect(() => {
    if (boardId) api.notifications(boardId).then(setKinds, report);
  }, [api, boardId, report]);

  const choose = async (chosen: NotificationChoice) => {
    if (!boardId || !kinds) return;
    setKinds(chosen);
    try {
      await api.chooseNotifications(boardId, chosen);
    } catch (error) {
      setKinds(kinds);
      report(error);
    }
  };
  const signOut = async () => {
    try {
      await api.signOut();
      onSignedOut();
    } catch (error) {
      report(error);
    }
  };

  return (
    <Dialog label={texts.settings} onClose={onClose}>
      {kinds && (
        <fieldset>
          <legend>{texts.notifyAbout}</legend>
          {NOTIFICATION_KINDS.map((kind) => (
            <label key={kind} className="choice">
              <input
                type="checkbox"
                checked={kinds[kind]}
                onChange={(event) => void choose({ ...kinds, [kind]: event.target.checked })}
              />
              {texts[kind]}
            </label>
          ))}
        </fieldset>
      )}
      <p className="hint">
        {texts.signedInAs} {account.name} ({account.email})
      </p>
      <button type="button" className="is-danger" onClick={() => void signOut()}>
        {texts.signOut}
      </button>
    </Dialog>
  );
}
