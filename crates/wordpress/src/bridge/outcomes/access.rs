//! Users and their ways in.

use serde::{Deserialize, Serialize};

/// Of [`Action::IssueLogin`](crate::bridge::Action::IssueLogin).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedLogin {
    /// Whose.
    pub user_id: u64,
    /// Login name.
    pub login: String,
    /// When it lapses.
    pub expires: i64,
    /// Address of the blog, to which the token is added.
    pub home: String,
}

/// A user as seen from one blog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Id.
    pub id: u64,
    /// Login name.
    pub login: String,
    /// Mail address.
    pub email: String,
    /// Display name.
    pub display_name: String,
    /// When the account was made, `2024-05-01 10:00:00`.
    pub registered: String,
    /// Roles on this blog.
    pub roles: Vec<String>,
    /// Whether they rule the network; `false` on a single site.
    pub super_admin: bool,
}

/// Of [`Action::ListUsers`](crate::bridge::Action::ListUsers).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPage {
    /// How many there are in all.
    pub total: u64,
    /// This page.
    pub users: Vec<User>,
}

/// Of [`Action::DeleteUser`](crate::bridge::Action::DeleteUser) and
/// [`Action::RemoveUserFromBlog`](crate::bridge::Action::RemoveUserFromBlog).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDeleted {
    /// Whose.
    pub user_id: u64,
    /// Whether the account itself is gone.
    pub account_gone: bool,
}

/// Of [`Action::ListRoles`](crate::bridge::Action::ListRoles).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// In the blog's order.
    pub roles: Vec<Role>,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its key, e.g. `editor`.
    pub role: String,
    /// Its name for people.
    pub name: String,
    /// What it may, sorted.
    pub capabilities: Vec<String>,
    /// How many users have it on this blog.
    pub users: u64,
}

/// Of [`Action::ListSessions`](crate::bridge::Action::ListSessions).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// Whose.
    pub user_id: u64,
    /// Those that have not lapsed.
    pub sessions: Vec<Session>,
}

/// Somewhere somebody is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Since when.
    pub login_at: Option<i64>,
    /// Until when.
    pub expires_at: Option<i64>,
    /// Address at the log-in.
    pub ip: Option<String>,
    /// Browser at the log-in.
    pub user_agent: Option<String>,
}

/// Of [`Action::DestroySessions`](crate::bridge::Action::DestroySessions).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsDestroyed {
    /// How many there were.
    pub destroyed: u64,
}

/// Of [`Action::ListApplicationPasswords`](crate::bridge::Action::ListApplicationPasswords).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationPasswords {
    /// Whose.
    pub user_id: u64,
    /// Whether the site accepts any from this user (WordPress wants https).
    pub available: bool,
    /// The passwords, without them.
    pub passwords: Vec<ApplicationPassword>,
}

/// An application password, without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationPassword {
    /// Its id.
    pub uuid: String,
    /// What it is for.
    pub name: String,
    /// Since when.
    pub created_at: i64,
    /// When it was last used.
    pub last_used_at: Option<i64>,
    /// From where.
    pub last_ip: Option<String>,
}

/// Of [`Action::DeleteApplicationPasswords`](crate::bridge::Action::DeleteApplicationPasswords).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordsDeleted {
    /// How many.
    pub deleted: u64,
}
