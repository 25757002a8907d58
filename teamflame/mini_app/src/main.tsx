import './styles.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './App';
import { launch } from './telegram';
import { languageOf, textsOf, TextsContext } from './texts';

const launched = launch();
const language = launched?.language ?? navigator.language;
const texts = textsOf(language);
document.documentElement.lang = languageOf(language);

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <TextsContext value={texts}>
      {launched ? (
        <App launched={launched} />
      ) : (
        <main className="page">
          <h1>{texts.openInTelegram}</h1>
          <p>{texts.openInTelegramHint}</p>
        </main>
      )}
    </TextsContext>
  </StrictMode>,
);
