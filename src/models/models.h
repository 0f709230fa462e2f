// What model files share: rows of hyperparameter tables that several have.
#ifndef PM_MODELS_H
#define PM_MODELS_H

#include <pumice/model.h>

#include "core/core.h"

// How every gradient-trained model is trained; the trainer reads these by name.
#define PM_TRAINING_HYPERS(epochs_value, batch_value, lr_value, l2_value)                                                       \
    { "epochs", PM_HYPER_INTEGER, epochs_value, 1, 1e6, NULL, "passes over the training rows", NULL },                          \
    { "batch", PM_HYPER_INTEGER, batch_value, 1, 65536, NULL, "rows a step", NULL },                                            \
    { "lr", PM_HYPER_NUMBER, lr_value, 0, 10, NULL, "learning rate of Adam", NULL },                                            \
    { "l2", PM_HYPER_NUMBER, l2_value, 0, 1e6, NULL, "penalty l2 * sum(w^2) on weights, not biases (gradient 2 * l2 * w)", NULL }

// Of models whose optimizer may be sgd; the trainer reads it by name.
#define PM_MOMENTUM_HYPER(value, paper)                                                                                         \
    { "momentum", PM_HYPER_NUMBER, value, 0, 0.999, NULL, "sgd: how much of the last step is taken again", paper }

// Of a model of ratings; the trainer reads it by name.
#define PM_CENTER_HYPER(value)                                                                                                  \
    { "center", PM_HYPER_CHOICE, value, 0, 0, "both|user|item|global|none", "means that are taken off ratings first and added to " \
      "predictions; both: r + mean - user's - item's", "sparse autoencoders, Section 4.1" }

// What two-headed AutoRec searched the penalties of its baselines over (its Section 4.2.2).
#define PM_TWO_HEADED_LAMBDAS "1e-7,1e-6,1e-5,1e-4,1e-3,0.01,0.1,1,10,100,1e3,1e4"

#define PM_MODEL(name) extern const pm_model pm_model_##name;
#include "models/models.def"
#undef PM_MODEL

#endif
