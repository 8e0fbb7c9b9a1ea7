//! Restore points of the tables of a real WordPress, through a real agent.

use super::lab::{EPOCH, Real};
use crate::site::soon;
use pressroom_base::Epoch;
use pressroom_carrier::Session;
use pressroom_wordpress::database::{
    TableChecksum,
    restore_point::{Made, MergeOptions, PointOptions},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{fs, time::Duration};

/// What a plugin's upgrade does: options, a post, a table of its own, a column, the
/// schedule, caches.
const UPDATE: &str = r#"
update_option('blogname', 'broken'); delete_option('blogdescription'); update_option('shop_version', '2');
wp_insert_post(['post_title' => 'by the update', 'post_status' => 'publish']);
global $wpdb; $wpdb->query("CREATE TABLE {$wpdb->prefix}shop (id BIGINT PRIMARY KEY)");
$wpdb->query("ALTER TABLE {$wpdb->prefix}links ADD COLUMN shop_id BIGINT NOT NULL DEFAULT 0");
wp_schedule_event(time() + 99, 'hourly', 'shop_hourly'); set_transient('shop_cache', 'new', 3600); flush_rewrite_rules();
"#;

/// What visitors and an editor do.
const OTHERS: &str = r"
wp_insert_post(['post_title' => 'by a person', 'post_status' => 'publish']);
wp_insert_comment(['comment_post_ID' => 1, 'comment_content' => 'by a visitor']); update_option('blogdescription', 'by a person');
set_transient('shop_cache', 'newer', 3600); wp_schedule_event(time() + 50, 'daily', 'persons_daily');
$user = get_user_by('id', 1); WP_Session_Tokens::get_instance(1)->create(time() + 999);
";

/// The tables as nobody but WordPress' own schedule changes them.
async fn sums(session: &Session, real: &Real) -> Vec<TableChecksum> {
    let sums = session.database_checksums(real.site_ref(), vec![]);
    sums.await.unwrap()
}

/// Exactly, while nothing but the update has written, with no PHP that runs.
pub async fn exactly(real: &Real) {
    let site = || real.site_ref();
    let before = sums(&real.session, real).await;
    let point = real
        .session
        .take_point(EPOCH, site(), PointOptions::default())
        .await
        .unwrap();
    assert_eq!(point.tables.len(), before.len());
    assert!(point.left_out.is_empty(), "{:?}", point.left_out);
    assert_eq!(sums(&real.session, real).await, before);
    real.site.php(UPDATE).unwrap();
    let sealed = real.session.seal_point(EPOCH, site(), &point.handle).await;
    let sealed = sealed.unwrap();
    assert_eq!(sealed.created, ["wp_shop"]);
    let links = sealed.changed.iter().find(|one| one.name == "wp_links");
    assert!(links.unwrap().structure);
    // Every request of the site is fatal.
    real.site.write("wp-settings.php.off", "").unwrap();
    let settings = real.site.path().join("wp-settings.php");
    let whole = fs::read(&settings).unwrap();
    fs::write(&settings, "<?php fatal();").unwrap();
    let merged = real
        .session
        .merge_point(EPOCH, site(), &point.handle, MergeOptions::default())
        .await
        .unwrap();
    fs::write(&settings, whole).unwrap();
    assert!(merged.verified && !merged.late, "{merged:#?}");
    for table in &merged.tables {
        assert!(
            matches!(table.how, Made::Exact | Made::Dropped),
            "{table:#?}"
        );
    }
    assert_eq!(sums(&real.session, real).await, before);
    gone(real, &real.session, EPOCH, &point.handle).await;
    assert_ne!(real.option("blogname"), "broken");
}

/// With what people wrote since.
pub async fn with_others(real: &Real) {
    let site = || real.site_ref();
    let point = real
        .session
        .take_point(EPOCH, site(), PointOptions::default())
        .await
        .unwrap();
    let name = real.option("blogname");
    real.site.php(UPDATE).unwrap();
    real.session
        .seal_point(EPOCH, site(), &point.handle)
        .await
        .unwrap();
    real.site.php(OTHERS).unwrap();
    let merged = real
        .session
        .merge_point(EPOCH, site(), &point.handle, MergeOptions::default())
        .await
        .unwrap();
    assert!(merged.verified, "{merged:#?}");
    assert_eq!(real.option("blogname"), name);
    assert_eq!(real.option("blogdescription"), "by a person");
    assert_eq!(real.option("shop_version"), "");
    let count =
        |table: &str, is: &str| real.sql(&format!("SELECT COUNT(*) FROM {table} WHERE {is}"));
    assert_eq!(count("wp_posts", "post_title = 'by the update'"), "0");
    assert_eq!(count("wp_posts", "post_title = 'by a person'"), "1");
    assert_eq!(
        count("wp_comments", "comment_content = 'by a visitor'"),
        "1"
    );
    assert_eq!(
        count("wp_options", "option_name = '_transient_shop_cache'"),
        "0"
    );
    assert_eq!(count("wp_usermeta", "meta_key = 'session_tokens'"), "1");
    assert_eq!(real.sql("SHOW TABLES LIKE 'wp_shop'"), "");
    assert_eq!(real.sql("SHOW COLUMNS FROM wp_links LIKE 'shop_id'"), "");
    let cron = real.option("cron");
    assert!(
        cron.contains("persons_daily") && !cron.contains("shop_hourly"),
        "{cron}"
    );
    // The description that a person wrote again is told, and what WordPress counts in rows
    // that both had changed.
    for table in &merged.tables {
        let most = match table.name.as_str() {
            "wp_options" | "wp_blogs" | "wp_term_taxonomy" => 1,
            _ => 0,
        };
        assert!(table.conflicts_total <= most, "{table:#?}");
    }
    assert!(merged.conflicts() > 0, "{merged:#?}");
    // WordPress reads it all.
    let told = real.site.php(
        "echo get_option('blogdescription'), '|', count(_get_cron_array()) > 1 ? 'cron' : 'none', '|', var_export(get_transient('shop_cache'), true);",
    );
    assert_eq!(told.unwrap(), "by a person|cron|false");
    gone(real, &real.session, EPOCH, &point.handle).await;
}

/// An agent that is killed while it takes back is finished by the next one.
pub async fn killed(real: &Real) {
    let site = || real.site_ref();
    real.sql("CREATE TABLE wp_large (id INT PRIMARY KEY, t VARCHAR(99)); INSERT INTO wp_large SELECT seq, 'before' FROM seq_1_to_20000");
    let before = sums(&real.session, real).await;
    let mut epoch = EPOCH.get();
    let mut cut = 0;
    for delay in [20, 60, 120, 250, 500] {
        epoch += 1;
        let session = real.native().await;
        session.recover(Epoch::new(epoch)).await.unwrap();
        let point = session
            .take_point(Epoch::new(epoch), site(), PointOptions::default())
            .await
            .unwrap();
        real.sql("UPDATE wp_large SET t = 'update'; ALTER TABLE wp_links ADD COLUMN x INT; INSERT INTO wp_options (option_name, option_value) VALUES ('x', 'x')");
        session
            .seal_point(Epoch::new(epoch), site(), &point.handle)
            .await
            .unwrap();
        let pid = i32::try_from(session.process_id().unwrap()).unwrap();
        let (ended, ()) = tokio::join!(
            session.merge_point(
                Epoch::new(epoch),
                site(),
                &point.handle,
                MergeOptions::default()
            ),
            async {
                tokio::time::sleep(Duration::from_millis(delay)).await;
                kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
            }
        );
        cut += u32::from(ended.is_err());
        epoch += 1;
        let now = Epoch::new(epoch);
        let session = real.native().await;
        session.recover(now).await.unwrap();
        let found = session.recover_database(now, site()).await.unwrap();
        assert_eq!(found.points, std::slice::from_ref(&point.handle));
        let merged = session
            .merge_point(now, site(), &point.handle, MergeOptions::default())
            .await
            .unwrap();
        assert!(merged.verified, "{merged:#?}");
        assert_eq!(sums(&session, real).await, before, "{delay}");
        gone(real, &session, now, &point.handle).await;
    }
    assert!(cut > 0, "none was killed in time");
}

async fn gone(real: &Real, session: &Session, epoch: Epoch, handle: &str) {
    for _ in 0..2 {
        soon(session.drop_point(epoch, real.site_ref(), handle))
            .await
            .unwrap();
    }
    assert_eq!(real.sql("SHOW TABLES LIKE 'pr\\_%'"), "");
}
