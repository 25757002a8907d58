// The only module that knows Telegram's SDK. Outside Telegram, and in clients that lack a feature, nothing happens.

import {
  backButton,
  closingBehavior,
  hapticFeedback,
  init,
  miniApp,
  retrieveLaunchParams,
  retrieveRawInitData,
  swipeBehavior,
  themeParams,
  viewport,
} from '@tma.js/sdk-react';

import { isDark, readable } from './colors';

export interface Launched {
  initData: string;
  language: string;
  startParam: string | null;
}

/** Returns null if this page was not opened by Telegram. */
export function launch(): Launched | null {
  const initData = attempt(() => retrieveRawInitData());
  if (!initData) return null;
  // The custom styles of Telegram's web client would break the content security policy.
  attempt(() => init({ acceptCustomStyles: false }));
  bindTheme();
  attempt(() => backButton.mount());
  attempt(() => closingBehavior.mount());
  attempt(() => {
    // A drag downwards would otherwise close the Mini App.
    swipeBehavior.mount();
    swipeBehavior.disableVertical();
  });
  attempt(() => {
    void Promise.resolve(viewport.mount())
      .then(() => {
        attempt(() => viewport.bindCssVars());
        attempt(() => viewport.expand());
      })
      .catch(() => undefined);
  });
  attempt(() => {
    miniApp.mount();
    miniApp.ready();
  });
  const data = new URLSearchParams(initData);
  return {
    initData,
    language: languageOf(data.get('user')),
    startParam: startParamOf(data),
  };
}

/** Shows Telegram's back button until the function that is returned is called. */
export function onBack(handler: () => void): () => void {
  const off = attempt(() => {
    backButton.show();
    return backButton.onClick(handler);
  });
  return () => {
    attempt(() => off?.());
    attempt(() => backButton.hide());
  };
}

/** Makes Telegram ask before it closes the Mini App. */
export function guardClosing(isGuarded: boolean): void {
  attempt(() =>
    isGuarded ? closingBehavior.enableConfirmation() : closingBehavior.disableConfirmation(),
  );
}

export function vibrate(outcome: 'success' | 'error'): void {
  attempt(() => hapticFeedback.notificationOccurred(outcome));
}

function bindTheme(): void {
  attempt(() => {
    themeParams.mount();
    themeParams.bindCssVars();
    adaptColors();
    themeParams.state.sub(adaptColors);
  });
}

function adaptColors(): void {
  const { button_color, button_text_color, bg_color } = themeParams.state();
  const style = document.documentElement.style;
  if (button_color && button_text_color) {
    style.setProperty('--button', readable(button_color, button_text_color));
  }
  if (bg_color) style.colorScheme = isDark(bg_color) ? 'dark' : 'light';
}

/** A link to the Mini App has its parameter in the signed data, a button in a chat only in its address. */
function startParamOf(data: URLSearchParams): string | null {
  return (
    data.get('start_param') ||
    attempt(() => retrieveLaunchParams().tgWebAppStartParam) ||
    new URLSearchParams(location.search).get('startapp')
  );
}

function languageOf(user: string | null): string {
  const parsed = attempt(() => JSON.parse(user ?? '{}') as { language_code?: string });
  return parsed?.language_code ?? 'en';
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
