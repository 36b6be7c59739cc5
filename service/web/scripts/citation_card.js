// What a citation mark shows on hover and focus: the quote, the chapter and the heading.
import { element } from "./elements.js";
import { nameOf } from "./places.js";
import { plain } from "./plain_text.js";

const APART = 8;
const LEAVING = 120;

/**
 * @param {HTMLElement} root where marks (`a.cite`) appear
 * @param {(mark: HTMLElement) => import("./places.js").Place | null} placeOf
 */
export function citationCard(root, placeOf) {
  const quote = element("blockquote");
  const source = element("p");
  const card = element(
    "div",
    { class: "citation-card", id: "m-citation-card", role: "tooltip", popover: "manual" },
    quote,
    source,
  );
  document.body.append(card);
  let shownFor = null;
  let leaving = 0;

  const hide = () => {
    clearTimeout(leaving);
    shownFor?.removeAttribute("aria-describedby");
    shownFor = null;
    if (card.matches(":popover-open")) card.hidePopover();
  };
  const show = (mark) => {
    clearTimeout(leaving);
    const place = placeOf(mark);
    if (!place || shownFor === mark) return;
    hide();
    shownFor = mark;
    quote.textContent = plain(place.quote ?? "");
    source.textContent = nameOf(place);
    mark.setAttribute("aria-describedby", card.id);
    card.showPopover();
    stand(card, mark.getBoundingClientRect());
  };
  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(hide, LEAVING);
  };

  root.addEventListener("pointerover", (event) => {
    const mark = event.pointerType === "mouse" && event.target.closest(".cite");
    if (mark) show(mark);
  });
  root.addEventListener("pointerout", (event) => event.target.closest(".cite") && leave());
  root.addEventListener("focusin", (event) => event.target.matches(".cite:focus-visible") && show(event.target));
  root.addEventListener("focusout", (event) => event.target.matches(".cite") && leave());
  root.addEventListener("click", hide);
  card.addEventListener("pointerenter", () => clearTimeout(leaving));
  card.addEventListener("pointerleave", leave);
  // A mark that gets the focus is scrolled to: the card goes along with it, and not away.
  const follow = () => {
    const place = shownFor?.getBoundingClientRect();
    const inSight = place && place.bottom > 0 && place.top < innerHeight;
    if (inSight && shownFor === document.activeElement) stand(card, place);
    else hide();
  };
  addEventListener("scroll", follow, { passive: true });
  addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Escape" && shownFor) {
        event.preventDefault();
        event.stopImmediatePropagation();
        hide();
      }
    },
    { capture: true },
  );
}

/** Above the mark, below where there is no room, never beyond the window's edge. */
function stand(card, mark) {
  const { offsetWidth: width, offsetHeight: height } = card;
  const left = Math.min(Math.max(APART, mark.left - width / 3), innerWidth - width - APART);
  const above = mark.top - height - APART;
  card.style.left = `${left}px`;
  card.style.top = `${above > 0 ? above : mark.bottom + APART}px`;
}
