//! Databases and their users.

use crate::stack::Stack;
use mysql_async::{Conn, OptsBuilder, prelude::Queryable};
use pressroom_base::{Kind, Secret};
use pressroom_providers::hosting::{Grant, LocalHosting};

async fn connect(
    hosting: &LocalHosting,
    user: &str,
    password: &str,
    database: Option<&str>,
) -> mysql_async::Result<Conn> {
    let host = hosting.db_host().unwrap();
    let socket = host.strip_prefix("localhost:").unwrap();
    let opts = OptsBuilder::default()
        .socket(Some(socket))
        .user(Some(user))
        .pass(Some(password))
        .db_name(database.map(str::to_owned));
    Conn::new(opts).await
}

#[tokio::test]
async fn a_user_sees_its_database_and_no_other() {
    let stack = Stack::up().await;
    let hosting = &stack.hosting;
    let password = Secret::new("it's \\ \"odd\" `ü`".to_owned());
    // `wp_1` as a grant pattern would open `wpx1` too.
    for name in ["wp_1", "wpx1"] {
        hosting.create_database(name).await.unwrap();
    }
    hosting
        .create_database_user("wp_1", &password, "wp_1")
        .await
        .unwrap();
    let mut connection = connect(hosting, "wp_1", password.expose(), Some("wp_1"))
        .await
        .unwrap();
    connection
        .query_drop("CREATE TABLE t (id INT) ")
        .await
        .unwrap();
    let seen: Vec<String> = connection.query("SHOW DATABASES").await.unwrap();
    assert_eq!(seen, ["information_schema", "wp_1"]);
    assert!(connection.query_drop("USE wpx1").await.is_err());
    assert!(
        connection
            .query_drop("CREATE DATABASE other")
            .await
            .is_err()
    );
    assert!(
        connection
            .query_drop("SELECT * FROM mysql.global_priv")
            .await
            .is_err()
    );
    assert!(
        connection
            .query_drop("SELECT 1 INTO OUTFILE '/tmp/pressroom-outfile'")
            .await
            .is_err()
    );
    assert!(connect(hosting, "wp_1", "wrong", None).await.is_err());
    assert!(
        connect(hosting, "", "", None).await.is_err(),
        "nobody enters without a name"
    );
    assert!(connect(hosting, "pressroom_admin", "", None).await.is_err());

    assert!(hosting.database_has_tables("wp_1").await.unwrap());
    assert!(!hosting.database_has_tables("wpx1").await.unwrap());
    let inventory = hosting.inventory().await.unwrap();
    assert_eq!(inventory.databases, ["wp_1", "wpx1"]);
    assert_eq!(inventory.database_users, ["wp_1"]);
    assert_eq!(
        inventory.grants,
        [Grant {
            user: "wp_1".into(),
            database: "wp\\_1".into()
        }]
    );

    // A dropped user's open connection ends with it.
    assert!(hosting.drop_database_user("wp_1").await.unwrap());
    assert!(connection.query_drop("SELECT * FROM t").await.is_err());
    assert!(!hosting.drop_database_user("wp_1").await.unwrap());
    assert!(hosting.drop_database("wp_1").await.unwrap());
    assert!(!hosting.drop_database("wp_1").await.unwrap());
    hosting.drop_database("wpx1").await.unwrap();
    let inventory = hosting.inventory().await.unwrap();
    assert!(
        inventory.databases.is_empty()
            && inventory.grants.is_empty()
            && inventory.database_users.is_empty()
    );
}

#[tokio::test]
async fn what_exists_is_never_adopted() {
    let stack = Stack::up().await;
    let hosting = &stack.hosting;
    let password = Secret::new("first".to_owned());
    hosting.create_database("a").await.unwrap();
    hosting
        .create_database_user("a", &password, "a")
        .await
        .unwrap();
    assert!(hosting.database_exists("a").await.unwrap());
    assert!(hosting.database_user_exists("a").await.unwrap());
    assert!(!hosting.database_exists("b").await.unwrap());
    let error = hosting.create_database("a").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (Kind::Conflict, "the database `a` exists already".into())
    );
    let error = hosting
        .create_database_user("a", &Secret::new("second".into()), "a")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    connect(hosting, "a", "first", Some("a")).await.unwrap();
}

#[tokio::test]
async fn names_cannot_break_out() {
    let stack = Stack::up().await;
    let hosting = &stack.hosting;
    let password = Secret::new("x".to_owned());
    for bad in [
        "",
        "a`b",
        "a'b",
        "a b",
        "a;b",
        "mysql",
        "information_schema",
        "a\\",
        "ü",
        &"x".repeat(65),
    ] {
        assert_eq!(
            hosting.create_database(bad).await.unwrap_err().kind(),
            Kind::Invalid,
            "{bad}"
        );
        assert_eq!(
            hosting.drop_database(bad).await.unwrap_err().kind(),
            Kind::Invalid,
            "{bad}"
        );
        assert_eq!(
            hosting
                .create_database_user("u", &password, bad)
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid
        );
    }
    for bad in ["", "root", "pressroom_admin", "mariadb.sys", "u'@'%"] {
        assert_eq!(
            hosting.drop_database_user(bad).await.unwrap_err().kind(),
            Kind::Invalid,
            "{bad}"
        );
        assert_eq!(
            hosting
                .create_database_user(bad, &password, "a")
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid
        );
    }
}
