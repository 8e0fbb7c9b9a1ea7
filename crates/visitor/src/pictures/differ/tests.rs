use super::*;
use crate::impression::Failed;

/// A picture with dark bars where `ink` says.
fn picture(name: &str, ink: impl Fn(u32, u32) -> Option<[u8; 3]>) -> (Shot, Picture) {
    let image = RgbImage::from_fn(640, 960, |x, y| Rgb(ink(x, y).unwrap_or([255; 3])));
    let mut png = Vec::new();
    image
        .write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
        .unwrap();
    let shot = Shot {
        name: name.to_owned(),
        page: "/".to_owned(),
        screen: Screen::Desktop,
        width: 640,
        height: 960,
        sha256: String::new(),
        exceptions: BTreeSet::new(),
        complaints: BTreeSet::new(),
        failed: BTreeMap::<String, Failed>::new(),
        controls: BTreeMap::new(),
        anchors: Vec::new(),
        overlays: Vec::new(),
        is_shut: false,
    };
    let picture = Picture {
        name: name.to_owned(),
        png,
    };
    (shot, picture)
}

fn shade(x: u32) -> u8 {
    u8::try_from(x % 200).unwrap()
}

/// Lines of words, each unlike the others, from `left` and `top` on.
fn text(left: u32, top: u32) -> impl Fn(u32, u32) -> Option<[u8; 3]> {
    move |x, y| {
        let (x, y) = (x.checked_sub(left)?, y.checked_sub(top)?);
        let line = y / 20;
        let length = 120 + (line * line * 37) % 130;
        let mixed = (x / 23).wrapping_mul(2_654_435_761) ^ line.wrapping_mul(2_246_822_519);
        let is_word = (mixed >> 13) % 3 != 0;
        (y % 20 < 11 && x < length && is_word && line < 30).then_some([40, 40, 40])
    }
}

fn differ_of(before: Vec<(Shot, Picture)>, after: Vec<(Shot, Picture)>) -> Difference {
    let look = |taken: Vec<(Shot, Picture)>| {
        let (shots, pictures) = taken.into_iter().unzip();
        let failed = BTreeMap::new();
        let impression = Impression {
            pictures: Pictures::Made { shots, failed },
            ..Impression::default()
        };
        let pictures: Vec<Picture> = pictures;
        (impression, pictures)
    };
    let (before, then) = look(before);
    let (after, now) = look(after);
    let thresholds = Thresholds::default();
    let (_, mut differences) = compare_pictures((&before, &then), (&after, &now), &thresholds);
    assert_eq!(differences.len(), 1);
    differences.remove(0)
}

#[test]
fn the_same_is_the_same_and_lower_down_too() {
    let same = differ_of(
        vec![picture("a", text(40, 40))],
        vec![picture("b", text(40, 40))],
    );
    assert!(same.share < f64::EPSILON && same.tiles > 50 && same.png.is_empty());
    for down in [24, 77, 200] {
        let lower = text(40, 40 + down);
        let lower = differ_of(vec![picture("a", text(40, 40))], vec![picture("b", lower)]);
        assert!(lower.share < 0.3, "{down} px down: {}", lower.share);
    }
}

#[test]
fn aside_or_gone_is_different() {
    let aside = differ_of(
        vec![picture("a", text(40, 40))],
        vec![picture("b", text(340, 40))],
    );
    assert!(aside.share > 0.8, "{}", aside.share);
    assert!(aside.png.starts_with(b"\x89PNG") && !aside.areas.is_empty());
    let gone = differ_of(
        vec![picture("a", text(40, 40))],
        vec![picture("b", |_, _| None)],
    );
    assert!(gone.share > 0.95, "{}", gone.share);
    let red = |_: u32, _: u32| Some([200, 0, 0]);
    let red = differ_of(vec![picture("a", text(40, 40))], vec![picture("b", red)]);
    assert!(red.share > 0.95, "{}", red.share);
}

#[test]
fn what_changes_by_itself_is_masked() {
    let carousel = |hue: u8| {
        let text = text(40, 340);
        move |x: u32, y: u32| {
            if y < 260 {
                return Some([hue, shade(x / 3), hue / 2]);
            }
            text(x, y)
        }
    };
    let before = vec![picture("a", carousel(10)), picture("b", carousel(120))];
    let after = vec![picture("c", carousel(240))];
    let difference = differ_of(before, after);
    assert!(difference.share < 0.02, "{}", difference.share);
    let alone = vec![picture("a", carousel(10))];
    let unmasked = differ_of(alone, vec![picture("c", carousel(240))]);
    assert!(unmasked.share > 0.4, "{}", unmasked.share);
}

#[test]
fn what_lies_over_the_page_does_not_count() {
    let banner = |x: u32, y: u32| (300..500).contains(&y).then_some([0, 0, shade(x)]);
    let under = text(40, 40);
    let (mut shot, picture_after) = picture("b", move |x, y| banner(x, y).or_else(|| under(x, y)));
    let plain = differ_of(
        vec![picture("a", text(40, 40))],
        vec![(shot.clone(), picture_after.clone())],
    );
    assert!(plain.share > 0.15, "{}", plain.share);
    shot.overlays = vec![Area {
        x: 0.0,
        y: 300.0,
        width: 640.0,
        height: 200.0,
    }];
    let over = differ_of(
        vec![picture("a", text(40, 40))],
        vec![(shot, picture_after)],
    );
    assert!(over.share < 0.02, "{}", over.share);
}

#[test]
fn what_is_no_picture_is_left_out() {
    let (shot, _) = picture("a", text(1, 1));
    let bad = Picture {
        name: "a".to_owned(),
        png: b"\x89PNG\r\n\x1a\nno".to_vec(),
    };
    assert!(view(&shot, &bad).is_none());
}
