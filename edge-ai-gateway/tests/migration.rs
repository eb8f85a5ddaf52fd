//! The example's migrations make the tables that the gateway writes to.

#[test]
fn the_example_has_the_tables() {
    for (migration, source) in [
        (
            include_str!("../../examples/gateway/migrations/0001_usage_records.sql"),
            include_str!("../src/usage/d1.sql"),
        ),
        (
            include_str!("../../examples/gateway/migrations/0002_usage_key.sql"),
            include_str!("../src/usage/d1_key.sql"),
        ),
        (
            include_str!("../../examples/gateway/migrations/0003_keys.sql"),
            edge_ai_gateway::VirtualKeys::MIGRATION,
        ),
        (
            include_str!("../../examples/gateway/migrations/0004_usage_counters.sql"),
            include_str!("../src/usage/d1_counters.sql"),
        ),
        (
            include_str!("../../examples/gateway/migrations/0005_usage_variant.sql"),
            include_str!("../src/usage/d1_variant.sql"),
        ),
        (
            include_str!("../../examples/gateway/migrations/0006_usage_guards.sql"),
            include_str!("../src/usage/d1_guards.sql"),
        ),
    ] {
        assert_eq!(migration, source);
    }
}
