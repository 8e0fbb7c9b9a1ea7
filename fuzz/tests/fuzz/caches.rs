//! Answers of cache servers.

use crate::input::{cuts, target};
use pressroom_wordpress::fuzzing as engine;

#[test]
fn fastcgi_answers() {
    const SAMPLES: &[&[u8]] = &[
        b"\x01\x06\x00\x01\x00\x1b\x05\x00Status: 404 X\r\n\r\nhello ab12345\x01\x07\x00\x01\x00\x02\x00\x00ee\x01\x06\0\x01\0\0\0\0\x01\x03\x00\x01\x00\x08\x00\x00\0\0\0\0\0\0\0\0",
        b"\x01\x06\x00\x01\x00\x0e\x02\x00A: b\n\nstatus:\n..\x01\x03\x00\x01\x00\x08\x00\x00\0\0\0\0\x01\0\0\0",
        b"\x01\x06\x00\x01\xff\xff\xff\x00Status: 200",
    ];
    const WORDS: &[&str] = &[
        "\x01",
        "\x06",
        "\0",
        "\0\x01",
        "\x01\x06\0\x01\0\x01\0\0a",
        "\x01\x07\0\x01\0\x01\x01\0e-",
        "\x01\x03\0\x01\0\x08\0\0\0\0\0\0\0\0\0\0",
        "Status: 500",
        "\r\n\r\n",
        "\n\n",
        "\x7f",
    ];
    target("fastcgi_answers", SAMPLES, WORDS, |input| {
        let [whole, single, ragged] = cuts(input)
            .map(|pieces| engine::fastcgi(pieces.into_iter()).map_err(|why| why.to_string()));
        assert_eq!(whole, single);
        assert_eq!(whole, ragged);
    });
}

#[test]
fn redis_answers() {
    const SAMPLES: &[&[u8]] = &[
        b"*2\r\n$1\r\n0\r\n*3\r\n$3\r\nfoo\r\n:-7\r\n$-1\r\n+rest\r\n",
        b"-ERR unknown\x07 command\r\n",
        b"*3\r\n*1\r\n*1\r\n*1\r\n+OK\r\n*-1\r\n*0\r\n",
        b"$1048576\r\nabc",
    ];
    const WORDS: &[&str] = &[
        "*",
        "$",
        ":",
        "+",
        "-",
        "\r",
        "\n",
        "\r\n",
        "0",
        "1",
        "-1",
        "200000",
        "*1\r\n",
        "*200000\r\n",
        "$0\r\n\r\n",
        ":1\r\n",
        "a",
    ];
    target("redis_answers", SAMPLES, WORDS, |input| {
        if let Ok(Some(used)) = engine::resp(input) {
            assert_eq!(engine::resp(&input[..used]).unwrap(), Some(used));
            for part in [used - 1, used / 2, used / 3] {
                assert_eq!(
                    engine::resp(&input[..part]).unwrap(),
                    None,
                    "a part is whole"
                );
            }
        }
    });
}
