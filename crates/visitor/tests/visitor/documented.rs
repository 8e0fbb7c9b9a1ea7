//! `docs/verification.md` says what is done: its numbers are the code's, and what it says
//! is found was found.

use crate::{
    bad::BAD,
    good::GOOD,
    site::{Site, blocking, found},
};
use pressroom_visitor::{FindingKind, Thresholds};
use std::{fmt::Write, fs};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verification.md");

fn numbers() -> String {
    let mut table = "| threshold | number | what it means |\n|---|---|---|\n".to_owned();
    for (name, number, meaning) in Thresholds::LISTED {
        writeln!(table, "| `{name}` | {number} | {} |", meaning.trim()).unwrap();
    }
    table
}

async fn updates() -> String {
    let mut table = "| an update after which … | is stopped with |\n|---|---|\n".to_owned();
    for bad in BAD {
        let findings = found(&Site::new(), &Site::new().but(bad.change)).await;
        let told = blocking(&findings)
            .into_iter()
            .find(|found| found.what == bad.what && found.place == bad.place)
            .unwrap_or_else(|| panic!("{} is not found", bad.name));
        let message = told.message.replace('|', "\\|");
        writeln!(table, "| {} | `{}` – {message} |", bad.name, told.what).unwrap();
    }
    table.push_str("\nNot stopped is:");
    for good in GOOD {
        write!(table, " {};", good.name).unwrap();
    }
    table.pop();
    table.push_str(".\n");
    table
}

/// Puts a part that is made between its two marks.
fn with(page: &str, name: &str, made: &str) -> String {
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let from = page.find(&begin).expect("the page has the part's mark") + begin.len();
    let to = page.find(&end).expect("the part ends");
    format!("{}{made}{}", &page[..from], &page[to..])
}

#[tokio::test]
async fn the_page_says_what_is_done() {
    let page = fs::read_to_string(PAGE).unwrap();
    let made = with(&page, "thresholds", &numbers());
    let made = with(&made, "made-up updates", &updates().await);
    if std::env::var_os("PRESSROOM_BLESS").is_some() {
        fs::write(PAGE, &made).unwrap();
    }
    let now = fs::read_to_string(PAGE).unwrap();
    assert!(
        now == made,
        "docs/verification.md says otherwise; with PRESSROOM_BLESS=1 it is written anew"
    );
    for kind in FindingKind::ALL {
        assert!(
            now.contains(&format!("`{kind}`")),
            "docs/verification.md does not name `{kind}`: {}",
            kind.meaning().trim()
        );
    }
}
