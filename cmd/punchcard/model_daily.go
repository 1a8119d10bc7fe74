package main

import (
	"context"
	"errors"
	"time"

	"github.com/punchcard/punchcard/warehouse/models"
)

// modelLook is how often the control role looks whether today's models are fitted.
const modelLook = time.Hour

// fitDaily fits the models of customer value once a UTC day. A failure is said and
// tried again at the next look: predictions are no part of the road.
func (a *app) fitDaily(ctx context.Context) error {
	timer := time.NewTimer(modelLook)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			a.fitModels(ctx)
			timer.Reset(modelLook)
		}
	}
}

// fitModels fits today's models, unless they are there or history is coming in.
func (a *app) fitModels(ctx context.Context) {
	if a.watcher.IsHistory() {
		return
	}
	_, err := models.Daily(ctx, a.warehouse, models.Options{Now: time.Now()})
	switch {
	case err == nil || ctx.Err() != nil:
	case errors.Is(err, models.ErrTooFew):
		a.log.Info("models of customer value: not yet", "why", err)
	default:
		a.log.Warn("models of customer value: no fit today", "err", err)
	}
}
