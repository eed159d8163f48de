/**
 * Asks for the token before an operator action, where a browser session is not enough for it. The token is in no variable
 * of the page before or after, so that nothing can be found out from an open page.
 */

/** `undefined`: the operator decided against the action. Opens above any other dialog. */
export function askForToken(): Promise<string | undefined> {
  const dialog = document.createElement('dialog');
  const form = document.createElement('form');
  const input = document.createElement('input');
  const label = document.createElement('label');
  dialog.className = 'small confirm';
  form.className = 'token';
  form.method = 'dialog';
  label.textContent = 'Enter your token to confirm this action';
  label.htmlFor = 'confirm-token';
  Object.assign(input, { id: 'confirm-token', type: 'password', autocomplete: 'off', required: true });
  const field = document.createElement('div');
  field.className = 'field';
  field.append(input, button('Confirm', 'submit'));
  const cancel = button('Cancel', 'button');
  cancel.addEventListener('click', () => dialog.close());
  form.append(label, field, cancel);
  dialog.setAttribute('aria-label', label.textContent);
  dialog.append(form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let token: string | undefined;
    form.addEventListener('submit', () => (token = input.value.trim()));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(token);
    });
    dialog.showModal();
    input.focus();
  });
}

function button(text: string, type: 'submit' | 'button'): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = type;
  element.textContent = text;
  return element;
}
