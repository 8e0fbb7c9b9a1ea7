use super::*;
use crate::config::{Settings, read};
use pressroom_phpdata::wp_config::{self, Value};
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;

fn sample() -> NewConfig {
    NewConfig {
        db_name: "n".into(),
        db_user: "u".into(),
        db_password: "it's \\ $x \"?>".into(),
        db_host: "localhost:/tmp/s.sock".into(),
        table_prefix: "wp_".into(),
        constants: vec![("WP_DEBUG".into(), ConfigValue::Bool(true))],
    }
}

#[test]
fn is_written_private_and_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).unwrap();
    let watch = Watch::unbounded();
    let epoch = Epoch::new(1);
    std::fs::create_dir_all(dir.path().join("public_html/blog")).unwrap();
    fence::take(&home, epoch, &watch).unwrap();
    write(&home, epoch, "public_html", &sample(), &watch).unwrap();
    let path = dir.path().join("public_html/wp-config.php");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let read_back = read(&home, "public_html").unwrap();
    assert_eq!(read_back.db_password.as_deref(), Some("it's \\ $x \"?>"));
    assert_eq!(read_back.table_prefix.as_deref(), Some("wp_"));
    assert_eq!(read_back.debug, Some(true));
    assert_eq!(read_back.multisite, Some(false));
    assert_eq!(
        std::fs::read_dir(dir.path().join("public_html"))
            .unwrap()
            .count(),
        2,
        "something was left beside the file"
    );

    // One level above counts, unless another WordPress is there.
    let above = read(&home, "public_html/blog").unwrap();
    assert_eq!(above.db_password, read_back.db_password);
    assert_eq!((read_back.above, above.above), (false, true));
    std::fs::write(dir.path().join("public_html/wp-settings.php"), "").unwrap();
    assert!(matches!(
        read(&home, "public_html/blog"),
        Err(Error::Missing(_))
    ));

    let before = std::fs::read(&path).unwrap();
    fence::take(&home, Epoch::new(2), &watch).unwrap();
    assert!(matches!(
        write(&home, epoch, "public_html", &sample(), &watch),
        Err(Error::Fenced { .. })
    ));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn salts_are_fresh() {
    let one = render(&sample()).unwrap();
    assert_ne!(one, render(&sample()).unwrap());
    let config = wp_config::parse(one.as_bytes());
    let mut salts: Vec<_> = SALTS
        .iter()
        .map(|name| config.constant(name).and_then(Value::text).unwrap())
        .collect();
    assert!(salts.iter().all(|salt| salt.len() == 64));
    salts.sort();
    salts.dedup();
    assert_eq!(salts.len(), 8);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let mut config = sample();
    config.table_prefix = "a'b".into();
    assert!(render(&config).is_err());
    let mut config = sample();
    config.constants.push(("A B".into(), ConfigValue::Int(1)));
    assert!(render(&config).is_err());
    let mut config = sample();
    config.db_password = "a\0b".into();
    assert!(render(&config).is_err());
}

proptest! {
    #[test]
    fn any_text_reads_back(password in "[^\0]{0,60}", host in "[^\0]{0,20}") {
        let mut config = sample();
        config.db_password.clone_from(&password);
        config.db_host.clone_from(&host);
        let text = render(&config).unwrap();
        let settings = Settings::from_file(text.as_bytes());
        prop_assert_eq!(settings.db_password, Some(password));
        prop_assert_eq!(settings.db_host, Some(host));
        prop_assert_eq!(settings.debug, Some(true));
    }
}
