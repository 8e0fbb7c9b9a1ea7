//! The reference pages say what the code says.

use pressroom_cli::reference::PAGES;
use std::path::Path;

#[test]
fn reference_pages_are_what_the_code_says() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let bless = std::env::var_os("PRESSROOM_BLESS").is_some();
    let mut stale = Vec::new();
    for (name, make) in PAGES {
        let path = directory.join(name);
        let made = make();
        if bless {
            std::fs::create_dir_all(&directory).expect("the directory is ours");
            std::fs::write(&path, &made).expect("the page is written");
        } else if std::fs::read_to_string(&path).ok().as_deref() != Some(made.as_str()) {
            stale.push(*name);
        }
    }
    assert!(
        stale.is_empty(),
        "stale: {stale:?}; `PRESSROOM_BLESS=1 cargo test -p pressroom-cli --test reference` makes them again"
    );
    let mut kept: Vec<_> = std::fs::read_dir(&directory)
        .expect("the directory is there")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    kept.sort();
    let mut named: Vec<_> = PAGES.iter().map(|(name, _)| (*name).to_owned()).collect();
    named.sort();
    assert_eq!(kept, named, "a page that nothing makes");
}
