//! Restore points of tables at the other end of a line.

use crate::{
    alone::configure,
    host::{Host, ROOT},
};
use pressroom_agent::protocol::SiteRef;
use pressroom_base::Epoch;
use pressroom_lab::Mariadb;
use pressroom_wordpress::database::restore_point::{Made, MergeOptions, PointOptions};

#[tokio::test]
async fn tables_are_taken_back_there() {
    let host = Host::new();
    let database = Mariadb::of_process().unwrap().database().unwrap();
    configure(&host, &database, &database.host());
    let sql = |text: &str| database.sql(text).unwrap();
    sql("CREATE TABLE wp_posts (id INT PRIMARY KEY, t TEXT); INSERT INTO wp_posts VALUES (1, 'a'), (2, 'b'), (3, 'c');
         CREATE TABLE wp_shop (id INT PRIMARY KEY, t TEXT); INSERT INTO wp_shop VALUES (1, 'a')");
    let session = host.session().await;
    let (epoch, site) = (Epoch::new(1), || SiteRef {
        root: ROOT.into(),
        php: None,
    });
    session.recover(epoch).await.unwrap();
    let point = session
        .take_point(epoch, site(), PointOptions::default())
        .await
        .unwrap();
    sql("UPDATE wp_posts SET t = 'update'; ALTER TABLE wp_shop ADD COLUMN x INT");
    session
        .seal_point(epoch, site(), &point.handle)
        .await
        .unwrap();
    sql(
        "UPDATE wp_posts SET t = 'mine' WHERE id = 2; INSERT INTO wp_posts VALUES (4, 'mine'); INSERT INTO wp_shop VALUES (2, 'mine', 2)",
    );
    drop(session);

    // Another worker goes on.
    let epoch = Epoch::new(2);
    let session = host.session().await;
    session.recover(epoch).await.unwrap();
    let found = session.recover_database(epoch, site()).await.unwrap();
    assert_eq!(found.points, std::slice::from_ref(&point.handle));
    let merged = session
        .merge_point(epoch, site(), &point.handle, MergeOptions::default())
        .await
        .unwrap();
    assert!(merged.verified, "{merged:#?}");
    assert_eq!(merged.tables.len(), 2);
    assert!(merged.tables.iter().all(|table| table.how == Made::Merged));
    assert_eq!(merged.conflicts(), 1);
    assert_eq!(
        sql("SELECT * FROM wp_posts ORDER BY id"),
        "1\ta\n2\tmine\n3\tc\n4\tmine\n"
    );
    assert_eq!(sql("SELECT * FROM wp_shop ORDER BY id"), "1\ta\n2\tmine\n");
    session
        .drop_point(epoch, site(), &point.handle)
        .await
        .unwrap();
    assert_eq!(sql("SHOW TABLES"), "wp_posts\nwp_shop\n");
    // The one before has nothing to say any more.
    let late = session.drop_point(Epoch::new(1), site(), &point.handle);
    assert!(late.await.unwrap_err().is_fenced());
}
