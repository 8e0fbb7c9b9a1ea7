//! Real sites work after a restore.

use crate::place::{EPOCH, same, settings};
use pressroom_lab::{Multisite, Site, Wordpress};
use pressroom_wordpress::{
    Home, Watch,
    database::{
        checksums,
        dump::{DumpOptions, dump},
        restore::{RestoreOptions, drop_aside, restore, take_back},
        size,
    },
    fence,
};
use std::process::Command;

const LOOK: &str = "echo get_option('blogname'), '|', wp_count_posts()->publish, '|', get_post_meta(1, 'hard', true), '|', count_users()['total_users'];";

fn works(site: &Site) {
    site.php("update_option('blogname', 'It\\'s \"Größe\" 😀'); update_post_meta(1, 'hard', \"a\\nb'😀\");").unwrap();
    let home = Home::open(site.home()).unwrap();
    let settings = settings(&site.database, &site.prefix);
    let watch = Watch::unbounded();
    fence::take(&home, EPOCH, &watch).unwrap();
    let before = site.php(LOOK).unwrap();
    assert!(before.contains("Größe&quot; 😀|1|a\nb'😀|1"), "{before}");
    let sums = checksums(&settings, &[], &watch).unwrap();
    let mut first = Vec::new();
    let report = dump(&settings, &DumpOptions::default(), &mut first, &watch).unwrap();
    assert_eq!((report.missing_rights.len(), report.left_out.len()), (0, 0));
    let sizes = size(&settings, &watch).unwrap();
    assert_eq!(sizes.len(), report.tables.len());
    assert!(
        sizes
            .iter()
            .all(|table| table.data_bytes > 0 && table.engine == "InnoDB")
    );

    // Damage, and back.
    site.php("wp_delete_post(1, true); update_option('blogname', 'broken'); wp_insert_user(array('user_login' => 'x', 'user_pass' => 'y'));").unwrap();
    let damaged = site.php(LOOK).unwrap();
    assert_ne!(damaged, before);
    assert_ne!(checksums(&settings, &[], &watch).unwrap(), sums);
    let options = RestoreOptions::default();
    let restored = restore(
        &home,
        EPOCH,
        &settings,
        &options,
        &mut first.as_slice(),
        &watch,
    )
    .unwrap();
    assert_eq!(restored.tables.len(), sums.len());
    assert_eq!(site.php(LOOK).unwrap(), before);
    assert_eq!(checksums(&settings, &[], &watch).unwrap(), sums);
    let mut again = Vec::new();
    dump(&settings, &DumpOptions::default(), &mut again, &watch).unwrap();
    same(&again, &first);
    // The site writes as before.
    let id = site
        .php("echo wp_insert_post(array('post_title' => 'after', 'post_status' => 'publish'));")
        .unwrap();
    assert!(id.parse::<u64>().is_ok_and(|id| id > 1), "{id}");

    // The damaged state can be had back, once more.
    let aside = restored.aside.unwrap();
    take_back(&home, EPOCH, &settings, &aside, &watch).unwrap();
    assert_eq!(site.php(LOOK).unwrap(), damaged);
    // The stock program's dump serves as well.
    let stock = Command::new("mariadb-dump")
        .arg("--no-defaults")
        .arg(format!("--socket={}", site.database.socket.display()))
        .args(["--user=root", &site.database.name])
        .output()
        .unwrap();
    site.php("update_option('blogname', 'worse');").unwrap();
    let restored = restore(
        &home,
        EPOCH,
        &settings,
        &options,
        &mut stock.stdout.as_slice(),
        &watch,
    )
    .unwrap();
    drop_aside(&home, EPOCH, &settings, &restored.aside.unwrap(), &watch).unwrap();
    assert_eq!(site.php(LOOK).unwrap(), damaged);
}

#[test]
fn wordpress_6_1_works_after_a_restore() {
    works(&Site::new(Wordpress::V6_1).unwrap());
}

#[test]
fn wordpress_6_5_works_after_a_restore() {
    works(&Site::new(Wordpress::V6_5).unwrap());
}

#[test]
fn a_network_works_after_a_restore() {
    let site = Site::network(Wordpress::V6_5, Multisite::Subdirectories).unwrap();
    works(&site);
    assert_eq!(
        site.php("switch_to_blog(2); echo wp_count_posts()->publish, get_option('blogname');")
            .unwrap(),
        "1Second"
    );
}
