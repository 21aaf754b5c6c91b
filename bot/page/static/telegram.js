// What Telegram tells a Mini App in the fragment, and the few events it listens to. Its own script is not loaded.
// See "Telegram Mini Apps", Initializing Mini Apps and Events Available for Mini Apps, on core.telegram.org.

import { tab } from './memory.js';

const NAME = 'telegram';

// Reads the fragment, and removes it from the address and the history at once: a pack code, or what Telegram wrote.
export function readFragment() {
  const written = window.location.hash.slice(1);
  if (written) window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
  const named = new URLSearchParams(written);
  if (!named.has('tgWebAppData')) {
    return { packCode: written.includes('=') ? '' : safeDecode(written), telegram: tab.get(NAME) };
  }
  const initData = named.get('tgWebAppData');
  const user = parsed(new URLSearchParams(initData).get('user'));
  const telegram = {
    initData,
    language: user.language_code ?? null,
    scheme: schemeOf(parsed(named.get('tgWebAppThemeParams')).bg_color),
  };
  tab.put(NAME, telegram);
  return { packCode: '', telegram };
}

export function tellTelegram(event) {
  const text = JSON.stringify({});
  if (window.TelegramWebviewProxy?.postEvent) window.TelegramWebviewProxy.postEvent(event, text);
  else if (window.external && 'notify' in window.external) window.external.notify(JSON.stringify({ eventType: event, eventData: {} }));
  else if (window.parent !== window) window.parent.postMessage(JSON.stringify({ eventType: event, eventData: {} }), '*');
}

// Light or dark, by how bright Telegram's own background is.
function schemeOf(color) {
  if (!/^#[0-9a-f]{6}$/i.test(color ?? '')) return null;
  const [red, green, blue] = color.slice(1).match(/../g).map((pair) => Number.parseInt(pair, 16));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128 ? 'dark' : 'light';
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
