// From what was asked for to data and hyperparameters.
#include <math.h>

#include "train/arrivals.h"
#include "train/trainer.h"

static const char *usual_metrics(const char *protocol)
{
    if (pm_name_equal(protocol, "leave-one-out")) return "hr@10,ndcg@10,mrr@10";
    if (pm_name_equal(protocol, "rating")) return "rmse,mae";
    if (pm_name_equal(protocol, "strong")) return "ndcg@100,recall_capped@20,recall_capped@50";
    if (pm_name_equal(protocol, "user-temporal"))    // the columns of the two-headed AutoRec paper's tables
        return "ndcg_full@50,rprecision@50,map_precision@5,map_precision@50,precision@5,precision@50,recall@5,recall@50";
    return "ndcg@100,recall@20,recall@50,map@10";
}

static bool has_hyper(const pm_model *m, const char *name)
{
    for (const pm_hyper *h = m->hypers; h && h->name; h++)
        if (pm_name_equal(h->name, name)) return true;
    return false;
}

// Whether the scores of the spec's model are ratings.
static bool predicts_ratings(const pm_spec *spec)
{
    for (int i = 0; spec->model && i < pm_model_count(); i++)
        if (pm_name_equal(pm_model_at(i)->name, spec->model)) return pm_model_at(i)->ratings && has_hyper(pm_model_at(i), "center");
    return false;
}

// Whether the values of the data are what is to be learned.
static bool reads_ratings(const pm_spec *spec)
{
    return predicts_ratings(spec) || (spec->split.protocol && pm_name_equal(spec->split.protocol, "rating"));
}

pm_status pm_spec_complete(const void *parent, const pm_spec *in, pm_spec *out)
{
    *out = *in;
    PM_REQUIRE(parent, in->model, PM_ERR_ARG, "a spec needs a model");
    PM_REQUIRE(parent, in->epochs >= 0 && in->patience >= 0 && in->validate_every >= 0, PM_ERR_ARG,
               "epochs, patience and validate_every must not be negative");
    const pm_rating_params *range = &in->rating;
    PM_REQUIRE(parent, !range->has_range || (isfinite(range->lo) && isfinite(range->hi) && range->lo < range->hi), PM_ERR_ARG,
               "a rating range of %g to %g makes no sense; the least comes first, such as 1,5", range->lo, range->hi);
    if (!out->split.protocol) out->split.protocol = predicts_ratings(in) ? "rating" : "strong";
    out->synth.ratings = in->synth.ratings || (!in->data && reads_ratings(out));
    if (!out->split_seed_given) out->split.seed = out->seed;
    PM_REQUIRE(parent, in->repeats >= 0 && in->repeat >= 0, PM_ERR_ARG, "repeats = %" PRId64 " must not be negative", in->repeats);
    PM_REQUIRE(parent, in->repeats <= 1 || in->split.folds == 0, PM_ERR_ARG, "repeats = %" PRId64 " and folds = %" PRId64 " both say how often to train; give one", in->repeats,
               in->split.folds);
    PM_REQUIRE(parent, in->split.folds == 0 || pm_name_equal(out->split.protocol, "rating"), PM_ERR_ARG, "folds are cut by --protocol rating alone; with %s use --repeats",
               out->split.protocol);
    PM_REQUIRE(parent, in->repeats <= 1 || !pm_name_equal(out->split.protocol, "files"), PM_ERR_ARG,
               "repeats differ in how the data are split, and --protocol files takes the parts as they are");
    if (!out->data) out->synth.seed = out->split.seed - (out->repeat > 1 && !out->split.folds ? (uint64_t)out->repeat - 1 : 0);
    if (!out->metrics) out->metrics = usual_metrics(out->split.protocol);
    if (!out->select) {
        char *first = pm_strdup(parent, out->metrics);
        PM_CHECK_ALLOC(first);
        first[strcspn(first, ",")] = 0;
        out->select = first;
    }
    return PM_OK;
}

char *pm_spec_select(const void *parent, const pm_spec *spec, const pm_split *split)
{
    unsigned candidates = 0;
    const bool all = split->test.sampled && pm_candidates_parse(parent, spec->candidates, &candidates) == PM_OK && candidates == PM_CANDIDATES_ALL;
    return pm_sprintf(parent, "%s%s", spec->select, all ? ":all" : "");
}

pm_status pm_candidates_parse(const void *object, const char *text, unsigned *out)
{
    static const struct { const char *name; unsigned value; } kinds[] = {
        { "sampled", PM_CANDIDATES_SAMPLED }, { "all", PM_CANDIDATES_ALL },
        { "sampled,all", PM_CANDIDATES_SAMPLED | PM_CANDIDATES_ALL }, { "all,sampled", PM_CANDIDATES_SAMPLED | PM_CANDIDATES_ALL },
    };
    *out = PM_CANDIDATES_SAMPLED | PM_CANDIDATES_ALL;
    if (!text) return PM_OK;
    for (int i = 0; i < PM_COUNT(kinds); i++) {
        if (!pm_name_equal(text, kinds[i].name)) continue;
        *out = kinds[i].value;
        return PM_OK;
    }
    return pm_fail(object, PM_ERR_ARG, "candidates = \"%.60s\": give sampled, all, or sampled,all", text);
}

pm_status pm_spec_config(const void *parent, const pm_spec *spec, pm_config **out)
{
    *out = NULL;
    const pm_model *model;
    PM_TRY(pm_model_find(parent, spec->model, &model));
    pm_config *c;
    PM_TRY(pm_config_create(parent, model, &c));
    pm_status st = spec->preset ? pm_config_preset(c, spec->preset) : PM_OK;
    for (int i = 0; i < spec->setting_count && st == PM_OK; i++) st = pm_config_assign(c, spec->settings[i]);
    if (st == PM_OK && spec->epochs > 0 && pm_config_text(c, "epochs")) {
        char *text = pm_sprintf(parent, "%" PRId64, spec->epochs);
        st = text ? pm_config_set(c, "epochs", text) : PM_ERR_NOMEM;
        if (st == PM_OK && pm_config_text(c, "iterations")) st = pm_config_set(c, "iterations", "0");
    }
    if (st != PM_OK) {
        pm_free(c);
        return st;
    }
    *out = c;
    return PM_OK;
}

// What chooses, beside a length that is fixed; NULL.
static const char *chooser(const pm_spec *spec)
{
    return spec->refit ? "--refit" : spec->legacy_test_selection ? "--legacy-test-selection" : spec->patience > 0 ? "--patience" : spec->validate_every > 0 ? "--validate-every" : NULL;
}

static pm_status check_length(const void *parent, const pm_spec *spec)
{
    const char *other = spec->fixed_length ? chooser(spec) : NULL;
    return other ? pm_fail(parent, PM_ERR_ARG, "--fixed-length trains on train + validation for all of its epochs and chooses none, so that %s has no use; leave one of the two out", other) : PM_OK;
}

pm_status pm_spec_check(const void *parent, const pm_spec *spec, const pm_config *config)
{
    const double dislike = pm_config_number(config, "dislike_below");
    const pm_filter_params *f = &spec->filter;
    unsigned candidates;
    PM_TRY(pm_candidates_parse(parent, spec->candidates, &candidates));
    const bool one_target = pm_name_equal(spec->split.protocol, "leave-one-out") || pm_name_equal(spec->split.protocol, "files");
    PM_REQUIRE(parent, !spec->candidates || one_target, PM_ERR_ARG, "--candidates %s is for --protocol leave-one-out; %s ranks all items that are not known",
               spec->candidates, spec->split.protocol);
    PM_REQUIRE(parent, spec->ties == PM_TIES_EXPECTED || one_target, PM_ERR_ARG, "--ties %s is for --protocol leave-one-out; top lists break ties by lower item id",
               pm_ties_name(spec->ties) ? pm_ties_name(spec->ties) : "?");
    PM_TRY(check_length(parent, spec));
    if (!(dislike > 0)) return PM_OK;
    const char *text = pm_config_text(config, "dislike_below"), *protocol = spec->split.protocol;
    PM_REQUIRE(parent, f->has_min_rating || f->has_rating_above, PM_ERR_ARG,
               "dislike_below = %s needs to know what is liked: give --min-rating or --rating-above too", text);
    PM_REQUIRE(parent, (!f->has_min_rating || dislike <= f->min_rating) && (!f->has_rating_above || dislike <= f->rating_above), PM_ERR_ARG,
               "dislike_below = %s lies above what is liked (%s %g): a rating would be both; lower it", text,
               f->has_min_rating ? "--min-rating" : "--rating-above", f->has_min_rating ? f->min_rating : f->rating_above);
    PM_REQUIRE(parent, pm_name_equal(protocol, "strong") || pm_name_equal(protocol, "random") || pm_name_equal(protocol, "temporal"), PM_ERR_ARG,
               "dislike_below = %s does not go with --protocol %s, which has no place for what was disliked; use random, temporal or strong", text,
               protocol);
    return PM_OK;
}

// Whether the model has a use for what was seen and not liked.
static bool wants_below(const pm_spec *spec)
{
    for (int i = 0; spec->model && i < pm_model_count(); i++)
        if (pm_name_equal(pm_model_at(i)->name, spec->model) && has_hyper(pm_model_at(i), "dislike_below")) return true;
    return false;
}

static const double jester_missing = 99, jester_most = 10;

// Whether all that is not 99 could be a rating of Jester's: then 99 is none.
static bool looks_like_jester(const pm_interactions *in)
{
    bool missing = false;
    for (int64_t i = 0; i < in->count; i++) {
        if (in->value[i] == (float)jester_missing) missing = true;
        else if (!(fabs((double)in->value[i]) <= jester_most)) return false;
    }
    return missing;
}

pm_status pm_spec_check_ratings(const void *parent, const pm_spec *spec, const char *source, const pm_interactions *in)
{
    const pm_rating_params *p = &spec->rating;
    const char *hint = "";
    if (looks_like_jester(in)) {
        hint = "; 99 stands for a missing rating in Jester's files: leave those lines out, or give the original matrix (--format jester)";
        PM_REQUIRE(parent, p->has_range, PM_ERR_DATA, "%s: ratings of 99 among ratings from -10 to 10%s. Where 99 is a rating, declare it with --rating-range", source,
                   hint);
    }
    for (int64_t i = 0; p->has_range && i < in->count; i++)
        PM_REQUIRE(parent, in->value[i] >= (float)p->lo && in->value[i] <= (float)p->hi, PM_ERR_DATA,
                   "%s: user \"%s\" rated item \"%s\" with %g, outside the declared range of %g to %g%s", source, pm_ids_name(in->users, in->user[i]),
                   pm_ids_name(in->items, in->item[i]), (double)in->value[i], p->lo, p->hi, hint);
    return PM_OK;
}

// What came after training.
static pm_status add_update(pm_split *split, const pm_spec *spec)
{
    pm_interactions *later;
    pm_arrivals arrivals;
    PM_TRY(pm_data_read(split, &(pm_read_params){ .path = spec->update, .format = "tsv" }, &later));
    const pm_status st = pm_split_extend(split, later, &arrivals);
    pm_free(later);
    return st;
}

pm_status pm_spec_load(const void *parent, const pm_spec *spec, pm_split **out)
{
    *out = NULL;
    pm_interactions *all = NULL, *kept = NULL;
    pm_read_params read = spec->read;
    read.path = spec->data;
    pm_status st = spec->data ? pm_data_read(parent, &read, &all) : pm_data_synth(parent, &spec->synth, &all);
    if (st != PM_OK) return st;
    if (all->duplicates) pm_log(parent, PM_LOG_WARN, "%" PRId64 " repeated (user, item) pairs were dropped, the first of each kept", all->duplicates);
    if (all->skipped_lines) pm_log(parent, PM_LOG_WARN, "%" PRId64 " bad lines were skipped", all->skipped_lines);
    pm_filter_params filter = spec->filter;
    filter.keep_below |= wants_below(spec);
    if (reads_ratings(spec)) st = pm_spec_check_ratings(parent, spec, spec->data ? spec->data : "the synthetic data", all);
    if (st == PM_OK) st = pm_data_filter(parent, all, &filter, &kept);
    if (st == PM_OK) st = pm_data_split(parent, kept, &spec->split, out);
    if (st == PM_OK && spec->update) st = add_update(*out, spec);
    pm_free(kept);    // the split has copies of all it needs
    pm_free(all);
    return st;
}
