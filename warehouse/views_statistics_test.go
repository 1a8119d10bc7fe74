package warehouse

import "testing"

// The helper views hold the formulas of the literature: what comes out is what is
// printed there.
func TestViewsOfStatistics(t *testing.T) {
	_, w := migrated(t)
	// Rocks 2016: with three answers added p = 50.75/103, d = 20.75/103.
	expect(t, w, "SELECT answers, nps, round(low, 4), round(high, 4) FROM nps_interval(promoters = 50, passives = 30, detractors = 20)", "100 | 30 | 14.0511 | 44.2013")
	// Newcombe 1998, method 10.
	expect(t, w, "SELECT share, held_share, difference, low, high FROM newcombe_interval(converted = 56, customers = 70, held_converted = 48, held_customers = 80)", "0.8 | 0.6 | 0.2 | 0.052431 | 0.333873")
	expect(t, w, "SELECT share, held_share, difference, low, high FROM newcombe_interval(converted = 9, customers = 10, held_converted = 3, held_customers = 10)", "0.9 | 0.3 | 0.6 | 0.170523 | 0.809018")
	// Everybody against nobody, and the other way round, stay within -1 and 1.
	expect(t, w, "SELECT difference, low > 0.4, high FROM newcombe_interval(converted = 10, customers = 10, held_converted = 0, held_customers = 10)", "1 | 1 | 1")
	// Agresti & Coull: (7 + 1.9207) / (10 + 3.8415) = .6445; ± 1.96 √(.6445 × .3555 / 13.8415).
	expect(t, w, "SELECT share, round(low, 4), round(high, 4) FROM adjusted_wald_interval(successes = 7, trials = 10)", "0.7 | 0.3923 | 0.8967")
	expect(t, w, "SELECT share, low >= 0, round(high, 4) FROM adjusted_wald_interval(successes = 0, trials = 10)", "0 | 1 | 0.3209")
	// 5 % points of chi-square with 1 to 4 degrees of freedom, from the tables.
	for statistic, freedom := range map[string]string{"3.841459": "1", "5.991465": "2", "7.814728": "3", "9.487729": "4"} {
		expect(t, w, "SELECT round(p, 6) FROM chi_square(statistic = "+statistic+", freedom = "+freedom+")", "0.05")
	}
	expect(t, w, "SELECT p FROM chi_square(statistic = 0, freedom = 3)", "1")
	t.Run("IFRS 15", func(t *testing.T) { testIFRS15(t, w) })
}

// IFRS 15, illustrative example 52: the sale is 100,000, the points are worth
// 9,500. In the first year 4,500 of 9,500 expected are redeemed; in the second
// 8,500 in all, of 9,700 then expected.
func testIFRS15(t *testing.T, w *Warehouse) {
	expect(t, w, "SELECT round(goods_part), round(points_part), round(recognised) FROM ifrs15_allocation(sale = 100000, points_value = 9500, redeemed = 4500, expected = 9500)", "91324 | 8676 | 4110")
	expect(t, w, `SELECT round(two.recognised - one.recognised), round(two.liability) FROM
		ifrs15_allocation(sale = 100000, points_value = 9500, redeemed = 8500, expected = 9700) AS two,
		ifrs15_allocation(sale = 100000, points_value = 9500, redeemed = 4500, expected = 9500) AS one`, "3493 | 1073")
	// More redeemed than expected: all is revenue, and nothing is owed.
	expect(t, w, "SELECT round(recognised), liability FROM ifrs15_allocation(sale = 100000, points_value = 9500, redeemed = 9900, expected = 9700)", "8676 | 0")
	expect(t, w, "SELECT goods_part, points_part FROM ifrs15_allocation(sale = 0, points_value = 0, redeemed = 0, expected = 0)", "0 | 0")
}
