package warehouse

import "context"

// Whole opens the same database again, read-only too, as a user who may lift the
// limits of an answer's size, and lifts them: for answers that are written away as
// they come, never for a statement of somebody else's.
func (w *Warehouse) Whole(ctx context.Context, user, password string) (*Warehouse, error) {
	c := w.cfg
	c.User, c.Password, c.ReadOnly = user, password, true
	out, err := Open(ctx, c)
	if err == nil && out.limits != nil {
		out.limits["max_result_bytes"], out.limits["max_result_rows"] = 0, 0
	}
	return out, err
}
