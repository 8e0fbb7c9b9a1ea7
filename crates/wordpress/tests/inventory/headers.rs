//! Headers and listings against `get_plugins()` and its like, over odd files.

use pressroom_lab::{Site, Wordpress};
use pressroom_phpdata::headers;
use pressroom_wordpress::{
    Home, Watch,
    inventory::{self, Place, ThemeFault},
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::{collections::BTreeMap, fs};

type Fields = BTreeMap<String, String>;

/// Prints what WordPress' own functions give, every value in hex.
const TOLD: &str = r"
    $hex = function ($list) {
        $out = array();
        foreach ($list as $key => $fields) {
            foreach ($fields as $name => $value) {
                $out[bin2hex($key)][$name] = is_bool($value) ? ($value ? '1' : '') : bin2hex($value);
            }
        }
        return (object) $out;
    };
    $themes = array();
    foreach (wp_get_themes(array('errors' => null)) as $slug => $theme) {
        $errors = $theme->errors();
        $themes[$slug] = array('error' => $errors ? $errors->get_error_code() : '');
        foreach (array('Name', 'Version', 'Template', 'TextDomain', 'RequiresWP', 'RequiresPHP', 'UpdateURI', 'Author') as $field) {
            $themes[$slug][$field] = (string) $theme->get($field);
        }
    }
    echo json_encode(array($hex(get_plugins()), $hex(get_mu_plugins()), $hex(get_dropins()), $hex($themes)));
";

/// Values of a header, ends of comments and odd bytes among them.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "Shop", "1.2", "0", "true", "TRUE", " ", "\t", "é", "ß漢", "<b>x</b>", "*/", "?>", "//", "#", ":",
            "https://example.com/x", "a, b-c ,d", "\x0b", "\x0c", "false",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::sample::select(vec![vec![0xe9], vec![0xff, 0xfe], vec![0], vec![0xc3]]),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|all| all.concat())
}

/// A file that may be a plugin; `inert` ones may be run.
fn file(inert: bool) -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![
        "Plugin Name",
        "Plugin Name",
        "Plugin Name",
        "plugin name",
        "Version",
        "Description",
        "Author",
        "Author URI",
        "Plugin URI",
        "Text Domain",
        "Domain Path",
        "Network",
        "Site Wide Only",
        "Requires at least",
        "Requires PHP",
        "Requires Plugins",
        "Update URI",
        "UpdateURI",
        "Requires  PHP",
    ]);
    let lead = prop::sample::select(vec![
        "", " * ", "// ", "# ", "@", "\t", "x ", "/* ", " *\t#@/ ",
    ]);
    let end = prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n", " */\n", " ?>\n"]);
    let line = (
        lead,
        name,
        prop::sample::select(vec![":", ":", ":", " :", ""]),
        value(),
        end,
    );
    let start = prop::sample::select(vec![
        "<?php\n",
        "<?php ",
        "<?php\n/*\n",
        "<?php /* ",
        "\u{feff}<?php\n/*\n",
        "<?PHP\n/**\n",
        "",
        "\n\n<?php\r/*\r",
    ]);
    let pad = prop_oneof![8 => Just(0_usize), 1 => 8100_usize..8200];
    (start, pad, prop::collection::vec(line, 1..9), 0_u8..12).prop_map(
        move |(start, pad, lines, utf16)| {
            let mut bytes = if inert {
                b"<?php /*\n".to_vec()
            } else {
                start.as_bytes().to_vec()
            };
            bytes.extend(std::iter::repeat_n(b'\n', pad));
            for (lead, name, colon, value, end) in lines {
                for part in [
                    lead.as_bytes(),
                    name.as_bytes(),
                    colon.as_bytes(),
                    &value,
                    end.as_bytes(),
                ] {
                    bytes.extend_from_slice(part);
                }
            }
            if inert {
                // Nothing but a comment, whatever is in it.
                let text = String::from_utf8_lossy(&bytes[8..])
                    .replace("*/", "* /")
                    .replace("?>", "? >");
                bytes = format!("<?php /*{text}*/").into_bytes();
            } else if utf16 == 0 {
                let text: Vec<u16> = String::from_utf8_lossy(&bytes).encode_utf16().collect();
                bytes = vec![0xff, 0xfe];
                bytes.extend(text.iter().flat_map(|unit| unit.to_le_bytes()));
            }
            bytes
        },
    )
}

fn runner() -> TestRunner {
    TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]),
    )
}

fn populate(site: &Site) {
    let mut runner = runner();
    let odd = file(false);
    let inert = file(true);
    let mut next = |inert_one: bool| {
        if inert_one {
            inert.new_tree(&mut runner).unwrap().current()
        } else {
            odd.new_tree(&mut runner).unwrap().current()
        }
    };
    let content = "wp-content";
    for number in 0..70 {
        site.write(
            &format!("{content}/plugins/single {number}.php"),
            next(false),
        )
        .unwrap();
        site.write(
            &format!("{content}/plugins/dir-{number}/dir-{number}.php"),
            next(false),
        )
        .unwrap();
        site.write(
            &format!("{content}/plugins/dir-{number}/extra.php"),
            next(false),
        )
        .unwrap();
        site.write(
            &format!("{content}/plugins/dir-{number}/.hidden.php"),
            next(false),
        )
        .unwrap();
        site.write(
            &format!("{content}/plugins/dir-{number}/deep/x.php"),
            next(false),
        )
        .unwrap();
    }
    for name in ["UPPER.PHP", "x.php.bak", ".hidden.php", "noext"] {
        site.write(
            &format!("{content}/plugins/{name}"),
            "<?php /* Plugin Name: No */",
        )
        .unwrap();
    }
    for number in 0..40 {
        site.write(&format!("{content}/mu-plugins/mu-{number}.php"), next(true))
            .unwrap();
    }
    site.write(&format!("{content}/mu-plugins/.dot.php"), next(true))
        .unwrap();
    site.write(
        &format!("{content}/mu-plugins/index.php"),
        "<?php // Silence is golden.",
    )
    .unwrap();
    for name in [
        "advanced-cache",
        "db-error",
        "install",
        "maintenance",
        "php-error",
        "sunrise",
        "blog-deleted",
    ] {
        site.write(&format!("{content}/{name}.php"), next(true))
            .unwrap();
    }
    let themes = |path: &str, text: &str| {
        site.write(&format!("{content}/themes/{path}"), text)
            .unwrap();
    };
    let style = |path: &str, lines: &str| themes(&format!("{path}/style.css"), lines);
    for (slug, lines) in [
        (
            "plain",
            "/*\nTheme Name: Plain one\nVersion: 1.0 \nRequires PHP: 7.4\n*/",
        ),
        (
            "cr",
            "/*\rTheme Name: Lines\rVersion: 2\rUpdate URI: https://example.com/cr\r*/",
        ),
        (
            "bom",
            "\u{feff}/*\nTheme Name: Marked\nRequires at least: 5.9 */",
        ),
        ("one-line", "/* Theme Name: Short */"),
        ("nameless", "/* Version: 3 */"),
        ("zero", "/*\nTheme Name:0\n*/"),
        ("group/inner", "/*\nTheme Name: Inner\n*/"),
    ] {
        style(slug, lines);
        themes(&format!("{slug}/index.php"), "<?php");
    }
    for (slug, lines) in [
        (
            "child",
            "/*\nTheme Name: Child\nTemplate: plain\nText Domain: kid\n*/",
        ),
        (
            "grandchild",
            "/*\nTheme Name: Grandchild\nTemplate: child\n*/",
        ),
        ("orphan", "/*\nTheme Name: Orphan\nTemplate: gone\n*/"),
        ("self", "/*\nTheme Name: Self\nTemplate: self\n*/"),
        ("bare", "/*\nTheme Name: Bare\n*/"),
        ("one", "/*\nTheme Name: One\nTemplate: two\n*/"),
        ("two", "/*\nTheme Name: Two\nTemplate: one\n*/"),
        ("of-bare", "/*\nTheme Name: Of bare\nTemplate: bare\n*/"),
        ("of-block", "/*\nTheme Name: Of block\nTemplate: block\n*/"),
        (
            "of-orphan",
            "/*\nTheme Name: Of orphan\nTemplate: orphan\n*/",
        ),
        ("of-empty", "/*\nTheme Name: Of empty\nTemplate: empty\n*/"),
        ("of-self", "/*\nTheme Name: Of self\nTemplate: self\n*/"),
        (
            "group/beside",
            "/*\nTheme Name: Beside\nTemplate: inner\n*/",
        ),
        (
            "group/whole",
            "/*\nTheme Name: Whole\nTemplate: group/inner\n*/",
        ),
        ("group/top", "/*\nTheme Name: Top\nTemplate: plain\n*/"),
        (".dot", "/*\nTheme Name: Dot\n*/"),
        ("CVS", "/*\nTheme Name: Cvs\n*/"),
        ("group/deeper/third", "/*\nTheme Name: Third\n*/"),
    ] {
        style(slug, lines);
    }
    style("block", "/*\nTheme Name: Block\n*/");
    themes("block/templates/index.html", "");
    style("old-block", "/*\nTheme Name: Old block\n*/");
    themes("old-block/block-templates/index.html", "");
    themes("empty/readme.txt", "");
    let padded = format!("/*{}\nTheme Name: Far\n*/", "\n".repeat(8190));
    style("far", &padded);
    themes("far/index.php", "");
}

fn told(site: &Site) -> [BTreeMap<String, Fields>; 4] {
    let json = site.php(TOLD).unwrap();
    let start = json.find('[').unwrap();
    let lists: Vec<BTreeMap<String, Fields>> = serde_json::from_str(&json[start..]).unwrap();
    let text = |hex: &str| String::from_utf8_lossy(&hex::decode(hex).unwrap()).into_owned();
    let lists: Vec<_> = lists
        .into_iter()
        .map(|list| {
            list.into_iter()
                .map(|(key, fields)| {
                    let fields = fields
                        .into_iter()
                        .map(|(name, value)| {
                            let value = if name == "Network" {
                                value
                            } else {
                                text(&value)
                            };
                            (name, value)
                        })
                        .collect();
                    (text(&key), fields)
                })
                .collect()
        })
        .collect();
    lists.try_into().unwrap()
}

fn compare(wordpress: Wordpress) {
    let site = Site::new(wordpress).unwrap();
    populate(&site);
    let [plugins, must_use, drop_ins, themes] = told(&site);
    assert!(plugins.len() > 50, "{} plugins prove little", plugins.len());
    let home = Home::open(site.home()).unwrap();
    let found = inventory::inspect(&home, site.root(), &Watch::unbounded()).unwrap();

    // The same files, in each place.
    let at = |place: Place, style: bool| -> Vec<&inventory::FoundComponent> {
        let all = found.components.iter();
        all.filter(|it| it.place == place && it.file.ends_with("/style.css") == style)
            .collect()
    };
    let mut ours: Vec<&str> = Vec::new();
    for plugin in at(Place::Normal, false) {
        ours.push(&plugin.file);
        ours.extend(plugin.others.iter().map(|other| other.file.as_str()));
    }
    ours.sort_unstable();
    assert_eq!(ours, plugins.keys().collect::<Vec<_>>());
    for (place, theirs) in [(Place::MustUse, &must_use), (Place::DropIn, &drop_ins)] {
        let mut ours: Vec<_> = at(place, false).iter().map(|it| it.file.as_str()).collect();
        ours.sort_unstable();
        assert_eq!(ours, theirs.keys().collect::<Vec<_>>());
    }

    // The same headers, field by field.
    let mut fields = 0;
    for (dir, list) in [
        ("plugins/", &plugins),
        ("mu-plugins/", &must_use),
        ("", &drop_ins),
    ] {
        for (file, theirs) in list {
            let path = site.path().join("wp-content").join(format!("{dir}{file}"));
            let bytes = fs::read(path).unwrap();
            let ours = headers::plugin(&bytes);
            let slug = file.split_once('/').map_or("", |(slug, _)| slug);
            let or = |text: &String, other: &str| {
                if headers::is_nothing(text) {
                    other.to_owned()
                } else {
                    text.clone()
                }
            };
            let name_else = if dir == "plugins/" { "" } else { file.as_str() };
            for (field, ours) in [
                ("Name", or(&ours.name, name_else)),
                ("PluginURI", ours.uri.clone()),
                ("Version", ours.version.clone()),
                ("Description", ours.description.clone()),
                ("Author", ours.author.clone()),
                ("AuthorURI", ours.author_uri.clone()),
                (
                    "TextDomain",
                    if slug.is_empty() {
                        ours.text_domain.clone()
                    } else {
                        or(&ours.text_domain, slug)
                    },
                ),
                ("DomainPath", ours.domain_path.clone()),
                (
                    "Network",
                    if ours.network {
                        "1".into()
                    } else {
                        String::new()
                    },
                ),
                ("RequiresWP", ours.requires_wordpress.clone()),
                ("RequiresPHP", ours.requires_php.clone()),
                ("RequiresPlugins", ours.requires_plugins.clone()),
                ("UpdateURI", ours.update_uri.clone()),
            ] {
                // 6.1 does not know all of them.
                if let Some(theirs) = theirs.get(field) {
                    assert_eq!(
                        &ours,
                        theirs,
                        "{field} of {dir}{file}: {:?}",
                        String::from_utf8_lossy(&bytes)
                    );
                    fields += 1;
                }
            }
        }
    }
    assert!(fields > 800);
    for plugin in at(Place::Normal, false) {
        let theirs = &plugins[&plugin.file];
        assert_eq!(plugin.name, theirs["Name"]);
        assert_eq!(plugin.version, theirs["Version"]);
        assert_eq!(
            plugin.text_domain.clone().unwrap_or_default(),
            theirs["TextDomain"]
        );
        assert_eq!(plugin.network_only, theirs["Network"] == "1");
    }

    // The same themes, and the same faults.
    let mut seen = BTreeMap::new();
    for theme in at(Place::Normal, true) {
        let theirs = &themes[&theme.slug];
        assert_eq!(theirs["error"], "", "{} is broken to WordPress", theme.slug);
        assert_eq!(
            theme.name,
            if theirs["Name"].is_empty() {
                &theme.slug
            } else {
                &theirs["Name"]
            }
            .as_str()
        );
        assert_eq!(theme.version, theirs["Version"], "{}", theme.slug);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        assert_eq!(text(&theme.requires_php), theirs["RequiresPHP"]);
        assert_eq!(text(&theme.requires_wordpress), theirs["RequiresWP"]);
        assert_eq!(text(&theme.update_uri), theirs["UpdateURI"]);
        assert_eq!(theme.author, theirs["Author"]);
        seen.insert(theme.slug.clone(), String::new());
    }
    for theme in &found.broken_themes {
        let code = match theme.fault {
            ThemeFault::NoStylesheet => "theme_no_stylesheet",
            ThemeFault::StylesheetUnreadable => "theme_stylesheet_not_readable",
            ThemeFault::OwnParent => "theme_child_invalid",
            ThemeFault::NoIndex => "theme_no_index",
            ThemeFault::NoParent { .. } => "theme_no_parent",
            ThemeFault::ParentIsChild { .. } => "theme_parent_invalid",
        };
        seen.insert(theme.slug.clone(), code.to_owned());
    }
    let theirs: BTreeMap<String, String> = themes
        .iter()
        .map(|(slug, fields)| (slug.clone(), fields["error"].clone()))
        .collect();
    assert_eq!(seen, theirs);
}

#[test]
fn as_wordpress_6_1_reads_them() {
    compare(Wordpress::V6_1);
}

#[test]
fn as_wordpress_6_5_reads_them() {
    compare(Wordpress::V6_5);
}
