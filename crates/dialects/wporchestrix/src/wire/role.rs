//! Roles, of which this dialect knows two.

use pressroom_fleet::principal::Role;

/// What a role is called here.
pub const fn name(role: Role) -> &'static str {
    match role {
        Role::Owner | Role::Admin => "admin",
        Role::Member | Role::Viewer => "member",
    }
}
