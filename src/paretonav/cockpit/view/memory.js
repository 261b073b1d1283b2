// @ts-check
// What somebody has chosen to look at, for as long as the page's tab is open: a page that is loaded anew begins there.

const PREFIX = "paretonav ";

/**
 * What was remembered by this name; null for nothing, or where a page may not remember.
 * @param {string} name
 */
export function recall(name) {
  try {
    return sessionStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function remember(name, value) {
  try {
    sessionStorage.setItem(PREFIX + name, value);
  } catch {
    // A saved page that is opened from a folder may have no storage.
  }
}
