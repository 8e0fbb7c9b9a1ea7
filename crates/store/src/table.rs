//! The two macros that spare each noun's file its boilerplate.

/// Declares a public row struct and, in a private module, the entity it is read
/// from. Every table has the key `id`.
macro_rules! table {
    (
        $(#[$doc:meta])*
        $row:ident = $module:ident($table:literal) {
            $(#[$id_doc:meta])* id: $id:ty,
            $($(#[$field_doc:meta])* $field:ident: $ty:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $row {
            $(#[$id_doc])* pub id: $id,
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl $row {
            pub(crate) fn read(model: $module::Model) -> crate::Result<Self> {
                Ok(Self {
                    id: <$id as crate::stored::Stored>::read(model.id)
                        .ok_or(crate::Error::Corrupt { place: concat!($table, ".id") })?,
                    $($field: <$ty as crate::stored::Stored>::read(model.$field)
                        .ok_or(crate::Error::Corrupt {
                            place: concat!($table, ".", stringify!($field)),
                        })?,)*
                })
            }
        }

        pub(crate) mod $module {
            use super::*;
            use crate::stored::Raw;
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub struct Model {
                #[sea_orm(primary_key)]
                pub id: i64,
                $(pub $field: Raw<$ty>,)*
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

/// Declares an enum whose values have one name each, in rows and in JSON.
macro_rules! names {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$value_doc])* #[serde(rename = $text)] $value,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// The name in rows and in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }

            /// Reads a name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$value),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl crate::stored::Stored for $name {
            type Raw = String;
            fn read(raw: String) -> Option<Self> { Self::parse(&raw) }
            fn raw(&self) -> String { self.as_str().to_owned() }
        }
    };
}
