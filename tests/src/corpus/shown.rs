//! Updates that only a browser shows.

use super::{
    Class, Draft,
    Kind::Bad,
    Needs,
    base::{self, SCRIPT, STYLE},
    pages::with_form,
};
use pressroom_testkit::chance::Chance;

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "script_error",
        about: "a script fails",
        kind: Bad,
        needs: Needs::Pictures,
        named: &["script_error"],
        make: script_error,
    },
    Class {
        name: "form_hidden_by_style",
        about: "a form is there and cannot be seen",
        kind: Bad,
        needs: Needs::Pictures,
        named: &["form_gone", "field_gone", "submit_gone", "looks_changed"],
        make: form_hidden_by_style,
    },
    Class {
        name: "layout_shifted",
        about: "what is on the page stands elsewhere",
        kind: Bad,
        needs: Needs::Pictures,
        named: &["layout_moved", "pushed_down", "looks_changed"],
        make: layout_shifted,
    },
    Class {
        name: "covered",
        about: "something new lies over the page",
        kind: Bad,
        needs: Needs::Pictures,
        named: &["covered", "looks_changed"],
        make: covered,
    },
];

fn script_error(draft: &mut Draft, chance: &mut Chance) {
    let word = base::word(chance);
    let code = match chance.below(5) {
        0 => format!("{word}.start();\n"),
        1 => format!("document.querySelector('.{word}').focus();\n"),
        2 => format!("jQuery('.@prefix-box').{word}();\n"),
        3 => "const settings = {{ columns: 3;\n".to_owned(),
        _ => format!(
            "document.addEventListener('DOMContentLoaded', function () {{ throw new Error('{word}'); }});\n"
        ),
    };
    let script = draft.new[&draft.named(SCRIPT)].clone();
    draft.put(SCRIPT, &(script + &code));
}

fn form_hidden_by_style(draft: &mut Draft, chance: &mut Chance) {
    with_form(draft, chance);
    let what = chance.one(&[
        ".@prefix-form",
        ".@prefix-form .button",
        ".@prefix-form label",
    ]);
    let how = chance.one(&[
        "display: none",
        "visibility: hidden",
        "height: 0; overflow: hidden; padding: 0; border: 0; display: block",
        "opacity: 0",
        "position: absolute; left: -9999px",
    ]);
    let style = draft.new[&draft.named(STYLE)].clone();
    draft.put(STYLE, &format!("{style}{what} {{ {how}; }}\n"));
}

fn layout_shifted(draft: &mut Draft, chance: &mut Chance) {
    let how = chance.one(&[
        "body { width: 38%; }",
        "main, .wp-site-blocks, #page { margin-left: 45vw !important; width: 30vw !important; }",
        "body { padding-top: 110vh; }",
        "body * { max-width: 140px !important; float: left; }",
    ]);
    let style = draft.new[&draft.named(STYLE)].clone();
    draft.put(STYLE, &format!("{style}{how}\n"));
}

fn covered(draft: &mut Draft, chance: &mut Chance) {
    let text = base::text(chance, 3);
    let colour = chance.one(&["#1a202c", "#fff", "#742a2a"]);
    draft.after(&format!(
        "add_action( 'wp_footer', function () {{\n\techo '<div style=\"position:fixed;inset:0;z-index:99999;background:{colour};color:#888\">{text}</div>';\n}} );\n"
    ));
}
