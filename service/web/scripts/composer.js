// The box to write a question in: one line that grows to eight, send and stop in the same place.

const COUNT_FROM = 0.75;
const NOTE = "Enter asks, Shift+Enter starts a new line.";

export class Composer {
  #form = document.getElementById("m-composer");
  #box = document.getElementById("m-question");
  #send = document.getElementById("m-send");
  #stop = document.getElementById("m-stop");
  #note = document.getElementById("m-composer-note");
  #longest = 4000;
  #busy = false;
  #ask;

  /** @param {(question: string) => void} ask @param {() => void} stop */
  constructor(ask, stop) {
    this.#ask = ask;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#box.addEventListener("input", () => this.#changed());
    this.#stop.addEventListener("click", () => {
      stop();
      this.focus();
    });
    this.#changed();
  }

  /** @param {number} characters the most that the service takes */
  set longest(characters) {
    this.#longest = characters;
    this.#changed();
  }

  /** While an answer is written, stop stands where send was. @param {boolean} busy */
  set busy(busy) {
    const hadFocus = this.#stop === document.activeElement;
    this.#busy = busy;
    this.#send.hidden = busy;
    this.#stop.hidden = !busy;
    if (hadFocus && !busy) this.focus();
  }

  get text() {
    return this.#box.value;
  }

  set text(words) {
    this.#box.value = words;
    this.#changed();
  }

  /** @param {string} words what an empty box says */
  set placeholder(words) {
    this.#box.placeholder = words;
  }

  focus() {
    this.#box.focus();
    this.#box.setSelectionRange(this.#box.value.length, this.#box.value.length);
  }

  #submit() {
    const question = this.text.trim();
    if (this.#busy || !question || question.length > this.#longest) return;
    this.text = "";
    // On a phone the keyboard would go on covering the answer.
    if (matchMedia("(hover: none)").matches) this.#box.blur();
    this.#ask(question);
  }

  #changed() {
    const { length } = this.text.trim();
    const over = length - this.#longest;
    this.#note.classList.toggle("wrong", over > 0);
    this.#note.classList.toggle("counting", length > this.#longest * COUNT_FROM);
    if (over > 0)
      this.#note.textContent = `${over.toLocaleString("en")} characters too long; the most is ${this.#longest.toLocaleString("en")}.`;
    else if (length > this.#longest * COUNT_FROM)
      this.#note.textContent = `${length.toLocaleString("en")} of ${this.#longest.toLocaleString("en")} characters`;
    else this.#note.textContent = NOTE;
    this.#send.setAttribute("aria-disabled", String(length === 0 || over > 0));
    if (CSS.supports("field-sizing", "content")) return;
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
  }
}
