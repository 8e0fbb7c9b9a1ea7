//! Updates that a visitor sees without looking closely.

use super::{
    Class, Draft,
    Kind::Bad,
    Needs,
    base::{self, CLASS, STYLE},
};
use pressroom_testkit::chance::Chance;

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "redirect_loop",
        about: "sends visitors in a circle, or away",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["redirect_loop", "redirected_away", "no_answer"],
        make: redirect_loop,
    },
    Class {
        name: "stylesheet_gone",
        about: "its stylesheet does not arrive any more",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["file_broken", "style_gone", "style_lost"],
        make: stylesheet_gone,
    },
    Class {
        name: "output_before_headers",
        about: "prints something before the page begins",
        kind: Bad,
        needs: Needs::Nothing,
        named: &[
            "headers_sent",
            "output_before_page",
            "php_notice",
            "feed_broken",
        ],
        make: output_before_headers,
    },
    Class {
        name: "checkout_button_gone",
        about: "nobody can pay any more",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["button_gone", "submit_gone", "form_gone"],
        make: checkout_button_gone,
    },
    Class {
        name: "form_gone",
        about: "a form, a field or its button is gone, or hidden in the mark-up",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["form_gone", "field_gone", "submit_gone"],
        make: form_gone,
    },
];

fn redirect_loop(draft: &mut Draft, chance: &mut Chance) {
    let condition = chance.one(&["true", "is_front_page()", "is_page( '@slug' )"]);
    let code = match chance.below(3) {
        0 => format!(
            "if ( {condition} ) {{\n\t\twp_safe_redirect( home_url( $_SERVER['REQUEST_URI'] ) );\n\t\texit;\n\t}}"
        ),
        1 => format!(
            "if ( {condition} ) {{\n\t\twp_safe_redirect( home_url( '/?step=a' === $_SERVER['REQUEST_URI'] ? '/?step=b' : '/?step=a' ) );\n\t\texit;\n\t}}"
        ),
        _ => format!(
            "if ( {condition} && ! isset( $_COOKIE['@prefix_seen'] ) ) {{\n\t\twp_safe_redirect( home_url( '/wp-login.php?redirect_to=' . rawurlencode( home_url( '/' ) ) ) );\n\t\texit;\n\t}}"
        ),
    };
    draft.after(&format!(
        "add_action( 'template_redirect', function () {{\n\t{code}\n}}, 1 );\n"
    ));
}

fn stylesheet_gone(draft: &mut Draft, chance: &mut Chance) {
    if chance.below(3) == 0 {
        base::become_theme(draft, chance);
        let header = "/*\nTheme Name: @slug\nVersion: @version\n*/\n";
        match chance.below(2) {
            0 => draft.put("style.css", header),
            _ => draft.change(
                "functions.php",
                "wp_enqueue_style( '@slug', get_stylesheet_uri(), array(), '@version' );",
                "",
            ),
        }
        return;
    }
    match chance.below(4) {
        0 => draft.remove(STYLE),
        1 => draft.put(STYLE, ""),
        2 => draft.change(CLASS, "assets/@slug.css", "assets/css/@slug.min.css"),
        _ => draft.change(
            CLASS,
            "wp_enqueue_style( '@slug', plugins_url( 'assets/@slug.css', self::$file ), array(), '@version' );",
            "",
        ),
    }
}

fn output_before_headers(draft: &mut Draft, chance: &mut Chance) {
    let word = base::word(chance);
    match chance.below(4) {
        0 => draft.after(&format!("echo '{word}: ready';\n")),
        1 => draft.after(&format!(
            "ini_set( 'display_errors', '1' );\necho $@prefix_{word}[1];\n"
        )),
        // What an editor leaves before the first line, and behind the last.
        2 => draft.change(CLASS, "<?php\n/** What", "\n\n<?php\n/** What"),
        _ => draft.after(&format!(
            "add_action( 'init', function () {{\n\tvar_dump( array( '{word}' => 1 ) );\n}} );\n"
        )),
    }
}

fn checkout_button_gone(draft: &mut Draft, chance: &mut Chance) {
    let class = chance.one(&[
        "checkout-button",
        "single_add_to_cart_button",
        "add_to_cart_button",
    ]);
    let button = match chance.below(2) {
        0 => format!("<a class=\"button {class}\" href=\"/checkout/\">Proceed</a>"),
        _ => format!("<button type=\"button\" class=\"button {class}\">Buy now</button>"),
    };
    draft.show(&format!("<div class=\"@prefix-buy\">{button}</div>\n"));
    let gone = match chance.below(3) {
        0 => String::new(),
        1 => button.replace("class=", "style=\"display:none\" class="),
        _ => button.replace("class=", "hidden class="),
    };
    draft.change(base::TEMPLATE, &button, &gone);
}

/// A form in both versions.
pub(super) fn with_form(draft: &mut Draft, chance: &mut Chance) {
    let word = base::word(chance);
    draft.show(&format!(
        "<form id=\"{word}\" class=\"@prefix-form\" method=\"post\" action=\"/@slug/\">\
         <label>Name <input type=\"text\" name=\"name\"></label>\
         <label>E-mail <input type=\"email\" name=\"email\"></label>\
         <label>Message <textarea name=\"message\"></textarea></label>\
         <button type=\"submit\" class=\"button\">Send</button></form>\n"
    ));
}

fn form_gone(draft: &mut Draft, chance: &mut Chance) {
    with_form(draft, chance);
    let field = "<label>E-mail <input type=\"email\" name=\"email\"></label>";
    let submit = "<button type=\"submit\" class=\"button\">Send</button>";
    let template = base::TEMPLATE;
    match chance.below(6) {
        0 => draft.change(
            template,
            "class=\"@prefix-form\"",
            "style=\"display: none\"",
        ),
        1 => draft.change(template, "class=\"@prefix-form\"", "hidden"),
        2 => draft.change(template, field, ""),
        3 => draft.change(template, submit, ""),
        4 => {
            let shown = draft.new[template].clone();
            let (before, after) = shown.split_once("<form").expect("a form");
            let (_, after) = after.split_once("</form>").expect("its end");
            draft.put(template, &format!("{before}{after}"));
        }
        _ => draft.change(
            template,
            "<input type=\"email\"",
            "<input style=\"display:none\" type=\"email\"",
        ),
    }
}
