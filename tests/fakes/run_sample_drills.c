/* run_sample_drills.c - two whole drills: an API machine is lost; a Redis primary dies. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../runner/model/system.h"
#include "run_sample.h"

#define MS NS_PER_MS

static struct Mono at(int64_t ns)
{
    return (struct Mono){.ns = SAMPLE_BEGAN_NS + ns};
}

struct RunSample *run_sample_api(struct Arena *arena)
{
    static const struct Outage down = {15040 * MS, 18700 * MS, DOWN_DROPPED};
    struct RunSample *run = run_sample_new(arena, 7);
    struct RunProbe *shop = run_sample_probe(run, "shop", "http");
    shop->under_ns = 800 * MS;
    run_sample_host(run, "api-1");
    run_sample_host(run, "api-2");
    run_sample_fault(run, 15000 * MS, 75000 * MS);
    run_sample_expect(run, "shop", "recover_within", 20 * NS_PER_S);
    run_sample_expect(run, "shop", "max_downtime", 10 * NS_PER_S);
    run_sample_expect(run, "shop", "max_errors", 100000);
    run_sample_attempts(run, 0, &down, 1);
    run_sample_event(run, 0, "run", "baseline");
    run_sample_event(run, 14900 * MS, "api-2", "guard armed: lease 30.0 s, at most 75 s");
    run_sample_event(run, 15040 * MS, "api-2", "isolate proven (40 ms after it was sent)");
    run_sample_event(run, 75060 * MS, "api-2", "isolate undone, proven");
    run_sample_event(run, 95000 * MS, "settle", "steady");
    run_sample_done(run);
    return run;
}

static void look(struct RunSample *run, int64_t when, uint32_t host, enum Rank rank)
{
    struct Census *census = list_add(&run->census, run->arena, sizeof(*census));
    *census = (struct Census){.probe = 2,
                              .host = host,
                              .asked = at(when),
                              .answered = at(when + 2 * MS),
                              .rank = (int32_t)rank,
                              .epoch = "7",
                              .identity = "run"};
}

/* redis-1 leads until it is killed at 15.03 s; redis-3 from 21.1 s on; redis-1 is back at 76 s. */
static void census(struct RunSample *run)
{
    for (int64_t when = 100 * MS; when < 95000 * MS; when += 250 * MS) {
        look(run, when, 0,
             when < 15030 * MS   ? RANK_PRIMARY
             : when < 76000 * MS ? RANK_UNKNOWN
                                 : RANK_REPLICA);
        look(run, when + 3 * MS, 1, RANK_REPLICA);
        look(run, when + 6 * MS, 2, when < 21100 * MS ? RANK_REPLICA : RANK_PRIMARY);
    }
}

static bool is_lost(const struct Sample *sample, void *data)
{
    (void)data;
    return sample->ended.ns >= at(14690 * MS).ns && sample->ended.ns < at(15030 * MS).ns;
}

static void describe(struct RunSample *run)
{
    struct RunRecord *record = &run->record;
    record->id = "01kabcdefghjkmnpqrstv4k9d2";
    record->scenario = "redis_primary_dies";
    record->hypothesis = "Sentinel promotes a replica, nothing acknowledged is lost, and the old "
                         "primary comes back as a replica.";
    record->owner = "team-data";
    record->runbook = "https://wiki.example.net/runbooks/redis-failover";
    record->text =
        "scenario: redis_primary_dies\ntargets:\n  primary: {role: redis, is: primary}\n";
}

static void system_seen(struct RunSample *run)
{
    struct RunSystem *system = list_add(&run->systems, run->arena, sizeof(*system));
    *system = (struct RunSystem){.role = "redis",
                                 .system = "redis_sentinel",
                                 .detected_low = at(20030 * MS),
                                 .detected_high = at(20290 * MS),
                                 .failed_over_low = at(20900 * MS),
                                 .failed_over_high = at(21160 * MS),
                                 .redundant_low = at(76900 * MS),
                                 .redundant_high = at(77200 * MS),
                                 .redundancy_was_whole = true,
                                 .primary_before = "redis-1",
                                 .primary_after = "redis-3",
                                 .expected = {5000 * MS, 8000 * MS},
                                 .knobs = "down-after 5000 ms, quorum 2, min-replicas-to-write 0"};
}

struct RunSample *run_sample_redis(struct Arena *arena)
{
    static const struct Outage down = {15030 * MS, 23400 * MS, DOWN_REFUSED};
    struct RunSample *run = run_sample_new(arena, 11);
    describe(run);
    struct RunProbe *checkout = run_sample_probe(run, "checkout", "http");
    checkout->asks = "GET https://api.staging.example.net/checkout/ping";
    struct RunProbe *writes = run_sample_probe(run, "writes", "ledger");
    writes->interval_ns = 20 * MS;
    writes->asks = "numbered RPUSH to redis";
    writes->role = "redis";
    struct RunProbe *redis = run_sample_probe(run, "redis", "primary");
    redis->interval_ns = 250 * MS;
    redis->asks = "who leads redis";
    redis->role = "redis";
    uint32_t first = run_sample_host(run, "redis-1");
    run_sample_host(run, "redis-2");
    uint32_t third = run_sample_host(run, "redis-3");
    struct RunFault *fault = run_sample_fault(run, 15000 * MS, 75000 * MS);
    fault->step = "kill primary";
    fault->kind = "kill";
    fault->host = "redis-1";
    fault->role = "redis";
    fault->class_letter = 'S';
    fault->proof = "pid 812 is gone";
    fault->apply_text = "systemctl kill --kill-whom=all -s KILL redis-server\n";
    fault->undo_text = "systemctl start redis-server\n";
    fault->stays = "the primary moves from redis-1 to redis-2 or redis-3";
    run_sample_expect(run, "writes", "max_lost", 0);
    run_sample_expect(run, "writes", "recover_within", 15 * NS_PER_S);
    run_sample_expect(run, "writes", "max_duplicated", 0);
    run_sample_expect(run, "redis", "failover_within", 12 * NS_PER_S);
    run_sample_expect(run, "redis", "max_split", 15 * NS_PER_S);
    run_sample_expect(run, "redis", "redundant_within", 60 * NS_PER_S);
    run_sample_expect(run, "checkout", "max_errors", 200000);
    run_sample_attempts(run, 0, &down, 1);
    run_sample_attempts(run, 1, &down, 1);
    const struct Outage leaderless = {15030 * MS, 21100 * MS, DOWN_REFUSED};
    run_sample_attempts(run, 2, &leaderless, 1);
    run_sample_by(run, 1, first, 0, 15100 * MS);
    run_sample_by(run, 1, third, 15100 * MS, 100000 * MS);
    run_sample_found(run, 1, is_lost, NULL);
    census(run);
    system_seen(run);
    run_sample_event(run, 14900 * MS, "redis-1", "guard armed: lease 30.0 s, at most 75 s");
    run_sample_event(run, 15040 * MS, "redis-1", "kill proven (40 ms after it was sent)");
    run_sample_event(run, 21160 * MS, "redis", "the primary is redis-3 now");
    run_sample_event(run, 75060 * MS, "redis-1", "kill undone, proven");
    run_sample_done(run);
    return run;
}
