import { type FormEvent, useState } from 'react';

import { type Api, Refused } from './api';
import type { Account } from './model';
import { useTexts } from './texts';

interface Props {
  api: Api;
  onSignedIn: (account: Account) => void;
  report: (error: unknown) => void;
}

export function SignIn({ api, onSignedIn, report }: Props) {
  const texts = useTexts();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState('');
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault('');
    try {
      onSignedIn(await api.signIn(email.trim(), password));
    } catch (error) {
      setPassword('');
      const isWrong = error instanceof Refused && [400, 401].includes(error.status);
      if (isWrong) setFault(texts.credentials);
      else report(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="page">
      <h1>{texts.signInTitle}</h1>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          {texts.email}
          <input
            type="email"
            required
            autoComplete="username"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </label>
        <label>
          {texts.password}
          <input
            type="password"
            required
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        <p className="hint">{texts.signInHint}</p>
        <p role="alert" className="is-late">
          {fault}
        </p>
        <button type="submit" disabled={isBusy}>
          {texts.signIn}
        </button>
      </form>
    </main>
  );
}
