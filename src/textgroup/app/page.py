"""gradio's part of the page: fields, buttons and what they call."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from textgroup.app.comparing import opinion
from textgroup.app.given import LIMITS, MAX_CAPTION, MAX_UPLOAD, PHOTOGRAPH, captions_given, examples, picture_given
from textgroup.app.view import message_html, opinions_html
from textgroup.errors import InputError
from textgroup.inference.textgroup import TextGroup

INTRODUCTION = """# TextGroup
A caption is cut into units, and each unit that names something is pointed at in the picture. The packaged model knows
English captions of photographs: in drawn scenes it is often wrong."""
UPLOAD = """<label class="tg-file"><span>Your own picture</span>
<input type="file" accept="image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff">
<span role="status">${value ? "Yours is shown." : ""}</span></label>"""
READ_FILE = """
const MOST = %MOST%;
element.addEventListener("change", (event) => {
  const file = event.target.files?.[0];
  if (!file) return;
  if (file.size > MOST) {
    element.querySelector("[role=status]").textContent = `More than ${MOST >> 20} MiB: save it smaller.`;
    return;
  }
  const reader = new FileReader();
  reader.onload = () => { props.value = reader.result; trigger("change"); };
  reader.readAsDataURL(file);
});
""".replace("%MOST%", str(MAX_UPLOAD))
KEEP_IN_ADDRESS = """(caption, other, picture) => {
  const state = Object.entries({caption, other, picture}).filter(([, value]) => value);
  history.replaceState(null, "", "?" + new URLSearchParams(state));
}"""


def make_page(models: Mapping[str, TextGroup]) -> gr.Blocks:
    """The page, not yet served. models: by the names that it shows."""

    def show(caption: str | None, other: str | None, picked: str | None, sent: str | None) -> str:
        try:
            captions, picture = captions_given(caption, other), picture_given(sent, picked)
            opinions = [opinion(name, model, picture, captions) for name, model in models.items()]
        except InputError as error:
            return message_html(str(error))
        note = "Without a picture there are only units: pick one, or choose your own (an address keeps no picture)."
        return opinions_html(opinions, picture, () if picture else (note,))

    def open_address(request: gr.Request) -> tuple[str, str, str | None]:
        """The fields as the address has them; without any, the first example."""
        asked = request.query_params
        if not asked.get("caption"):
            first = examples()[PHOTOGRAPH]
            return first.caption, first.other, PHOTOGRAPH
        known = asked.get("picture") if asked.get("picture") in examples() else None
        return asked["caption"][: MAX_CAPTION + 1], asked.get("other", "")[: MAX_CAPTION + 1], known

    def pick(picked: str) -> tuple[str, str, str]:
        """An example's captions, instead of a picture that was sent."""
        return examples()[picked].caption, examples()[picked].other, ""

    with gr.Blocks(title="TextGroup", analytics_enabled=False) as page:
        gr.Markdown(INTRODUCTION)
        with gr.Row():
            with gr.Column():
                caption = gr.Textbox(label="Caption", max_length=MAX_CAPTION, lines=1, elem_id="caption")
                other = gr.Textbox(
                    label="Another caption, to compare (may be empty)", max_length=MAX_CAPTION, lines=1, elem_id="other"
                )
            with gr.Column():
                picked = gr.Radio(list(examples()), label="Examples", elem_id="examples")
                sent = gr.HTML(
                    value="", html_template=UPLOAD, js_on_load=READ_FILE, elem_id="own", apply_default_css=False
                )
        button = gr.Button("Show", variant="primary")
        shown = gr.HTML(elem_id="shown", apply_default_css=False)
        gr.Markdown(LIMITS)
        fields = [caption, other, picked, sent]

        def then_show(event: Any) -> None:
            event.then(show, fields, shown, **private).then(
                None, [caption, other, picked], None, js=KEEP_IN_ADDRESS, **private
            )

        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "minimal"}
        then_show(page.load(open_address, None, [caption, other, picked], **private))
        then_show(picked.input(pick, picked, [caption, other, sent], **private))
        then_show(sent.change(lambda content, name: None if content else name, [sent, picked], picked, **private))
        for pressed in (button.click, caption.submit, other.submit):
            then_show(pressed(None, None, None, **private))
    return page.queue(max_size=32, default_concurrency_limit=1)
