//! What a site's PHP prints.

use crate::input::{cuts, target};
use pressroom_wordpress::fuzzing as engine;
use sha2::{Digest, Sha256};

fn frame(word: &str, json: &str) -> Vec<u8> {
    let hash = hex::encode(Sha256::digest(json));
    format!("\n<<<{word} n0nce {} {hash}>>>{json}", json.len()).into_bytes()
}

#[test]
fn bridge_frames() {
    let note = frame("PRESSROOM-NOTE", r#"{"booted":true}"#);
    let answer = frame("PRESSROOM", r#"{"outcomes":[]}"#);
    let all = [
        b"noise".as_slice(),
        &note,
        b"\n<<<PRESSROOM n0nce 5 abc>>>",
        &note,
        &answer,
        b"late",
        &answer,
    ]
    .concat();
    let empty = [frame("PRESSROOM-NOTE", ""), frame("PRESSROOM", "")].concat();
    let within = frame("PRESSROOM", &String::from_utf8_lossy(&note));
    let words = [
        "\n",
        "<",
        "\n<<<PRESSROOM",
        "\n<<<PRESSROOM n0nce ",
        "\n<<<PRESSROOM-NOTE n0nce ",
        "-NOTE",
        " ",
        ">",
        ">>>",
        "0",
        "9",
        "16777216 ",
        "5 ",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855>>>",
        "\u{e9}",
    ];
    target(
        "bridge_frames",
        &[&all, &empty, &within, &note],
        &words,
        |input| {
            let [whole, single, ragged] =
                cuts(input).map(|pieces| engine::scan("n0nce", pieces.into_iter()));
            assert_eq!(whole, single);
            assert_eq!(whole, ragged);
            let taken = whole
                .notes
                .iter()
                .chain(&whole.answer)
                .map(Vec::len)
                .sum::<usize>();
            assert!(taken as u64 + whole.noise <= input.len() as u64);
        },
    );
}
