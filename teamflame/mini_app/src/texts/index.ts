import { createContext, useContext } from 'react';

import { en, type Texts } from './en';
import { ru } from './ru';
import { uk } from './uk';

const LANGUAGES: Record<string, Texts> = { en, ru, uk };

export function languageOf(code: string): string {
  const language = code.slice(0, 2).toLowerCase();
  return language in LANGUAGES ? language : 'en';
}

export function textsOf(code: string): Texts {
  return LANGUAGES[languageOf(code)] ?? en;
}

export const TextsContext = createContext<Texts>(en);

export function useTexts(): Texts {
  return useContext(TextsContext);
}

export type { Texts };
