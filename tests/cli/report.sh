# compare --report and sweep --report: one HTML file that stands alone, with figures where there is gnuplot and tables in any case.
. "$SUPPORT"
command -v python3 >/dev/null || exit 77
page()
{
    python3 "$(dirname "$SUPPORT")/page.py" "$@" >wrong || fail "$(cat wrong)"
}
# what holds of the numbers of a figure: see page_csv.py
holds()
{
    python3 "$(dirname "$SUPPORT")/page_csv.py" "$@" 2>wrong || fail "$(cat wrong)"
}
contains()
{
    grep -qF -- "$2" "$1" || fail "$1 lacks: $2"
}
# shellcheck disable=SC2086
expect 0 train mult-vae $SMALL --epochs 4 --seed 3 -o 'r<u>&n'
# shellcheck disable=SC2086
expect 0 train item-pop --device $DEVICE --held-out 200 --seed 3 -o pop
expect 0 compare pop 'r<u>&n' --json
cp out plain
# without gnuplot: said on stderr and on the page; everything else is there
mkdir empty
PATH=$FOLDER/empty "$PUMICE" compare pop 'r<u>&n' --report bare.html --json >out 2>err || fail "compare --report without gnuplot"
says err "gnuplot-nox"
cmp -s out plain || fail "--report changes the document"
page bare.html 0
contains bare.html "Figures are missing"
contains bare.html "apt install gnuplot-nox"
for what in "Setting and data" "Results on test" "Paired significance" "Validation by epoch" "kl" "ndcg@100 by quintile" "not real data" \
            "r&lt;u&gt;&amp;n" "<b>" "95 %" "data:text/csv" "mult-vae" "hyperparameters"; do
    contains bare.html "$what"
done
grep -q 'r<u>' bare.html && fail "a name is not escaped"
# user by user: everybody is in one share and one cell; the seconds until the chosen epoch are no more than all; densities and shares
holds bare.html shares "abs(sum(rows[0][1::2]) - 100) < 1e-6 and len(rows) == 1"
holds bare.html plane-1 "sum(cell or 0 for row in rows for cell in row[1:]) == 200"
holds bare.html plane-1 "rows[-1][0] == '0' and len(rows) + 1 == len(head)"
holds bare.html convergence "[row[0] for row in rows] == ['pop', 'r<u>&n'] and 0 < rows[1][1] <= rows[1][2]"
holds bare.html curve-seconds "[row[1] for row in rows].count(None) == 4 and [row[2] for row in rows].count(None) == 1"
holds bare.html bars-recall-capped "[row[0] for row in rows] == ['20', '50'] and rows[0][1] < rows[1][1] and rows[0][2] > 0"
holds bare.html density "len(rows) == 101 and head[-1] == 'test interactions' and all(cell >= 0 for row in rows for cell in row[1:])"
mean=$("$JSON_GET" plain runs 1 metrics ndcg@100 mean)
contains bare.html "$(printf '%.4f' "$mean")"
# preferences, where the scores of a run are some
# shellcheck disable=SC2086
expect 0 train dae --device $DEVICE --threads 1 --held-out 200 --seed 3 --loss mil --iterations 20 --latent 16 -o mil
PATH=$FOLDER/empty "$PUMICE" compare mil pop --report mil.html -q >out 2>err || fail "dae"
page mil.html 0
contains mil.html "Predicted preference of the catalogue"
contains mil.html "by rank"
grep -q "Predicted preference" bare.html && fail "preferences of scores that are none"
grep -q "What is minimised" bare.html && fail "losses of models that have no such line"
# losses by preference: those of the runs, each once; models trained here have all analyses too
# shellcheck disable=SC2086
PATH=$FOLDER/empty "$PUMICE" compare dae:loss=mil dae:loss=cross-entropy dae:loss=square:alpha_dec=1 dae:loss=square dae:loss=multinomial:activation=tanh-lin \
    --device $DEVICE --threads 1 --held-out 200 --iterations 5 --latent 4 --part validation --report losses.html -q >out 2>err || fail "losses: $(cat err)"
page losses.html 0
contains losses.html "Loss of an item that is liked"
contains losses.html 'missing.csv" href="data:text/csv;charset=utf-8,predicted%20preference%2Cdae%3Aloss%3Dmil%2Cdae%3Aloss%3Dcross-entropy%2Cdae%3Aloss%3Dsquare%3Aalpha_dec%3D1%0D'
contains losses.html '<th scope="row">0.75</th><td>0.0000</td><td>1.3863</td><td>0.2812</td></tr>'
contains losses.html "Predicted preference of the catalogue"
contains losses.html "by rank"
grep -q "is disliked" losses.html && fail "dislikes that there are not"
# a report that cannot be written leaves the old one
cp bare.html old
expect 1 compare pop 'r<u>&n' --report nowhere/report.html
says err "nowhere/report.html"
cmp bare.html old || fail "the old report is gone"
# runs that are no longer whole: the log is gone, and so are the curves, without a heading over nothing
cp -r 'r<u>&n' nolog
rm nolog/metrics.jsonl
PATH=$FOLDER/empty "$PUMICE" compare nolog --report nolog.html -q >out 2>err || fail "without a log"
page nolog.html 0
grep -q "Validation by epoch" nolog.html && fail "curves of nothing"
# leave-one-out has no lists to show the popularity of
# shellcheck disable=SC2086
expect 0 train mult-dae $SMALL --protocol leave-one-out --epochs 2 -o loo
PATH=$FOLDER/empty "$PUMICE" compare loo --report loo.html -q >out 2>err || fail "leave-one-out"
page loo.html 0
grep -q "Popularity" loo.html && fail "popularity of lists that there are not"
grep -q "chosen on the test set" loo.html && fail "a mark that nothing deserves"
# a run whose epoch was chosen on the test part is marked beside another, on the page and on the terminal
# shellcheck disable=SC2086
expect 0 train mult-dae $SMALL --protocol leave-one-out --epochs 2 --legacy-test-selection -o legacy
says out "test, which chose the epoch"
says out "Beware: the epoch was chosen on the test set"
PATH=$FOLDER/empty "$PUMICE" compare loo legacy --report both.html -q >out 2>err || fail "a legacy run beside another"
page both.html 0
contains both.html "legacy †"
contains both.html "chosen on the test set"
grep -q "loo †" both.html && fail "the mark on the wrong run"
says out "legacy †"
says out "† epoch chosen on the test set"
expect 0 compare loo legacy --json
[ "$(json runs 0 legacy_test_selection) $(json runs 1 legacy_test_selection)" = "false true" ] || fail "legacy in the document"
command -v gnuplot >/dev/null || exit 0
# with gnuplot
expect 0 compare pop 'r<u>&n' --report report.html
page report.html 15
contains report.html "var(--s1)"
contains report.html "currentColor"
expect 0 compare pop 'r<u>&n' --part validation --quintiles recall_capped@20 --report validation.html
page validation.html 14
contains validation.html "recall_capped@20 by quintile"
# shellcheck disable=SC2086
expect 0 compare item-pop mult-dae:epochs=3:latent=8 $SMALL --report trained.html
page trained.html 14
contains trained.html "mult-dae:epochs=3:latent=8"
# a sweep: heat map, the winner's curves
# shellcheck disable=SC2086
expect 0 sweep mult-dae $SMALL --epochs 3 --seeds 2 --grid "hidden=none|16,8;dropout=0,0.5" -o sweep --report sweep.html
page sweep.html 11
contains sweep.html "16,8"
contains sweep.html "winner"
contains sweep.html "heat-1"
contains sweep.html "sweep mult-dae"
# shellcheck disable=SC2086
expect 0 sweep mult-dae $SMALL --epochs 1 --grid "dropout=0..0.9;lr=log:1e-3..1e-1;latent=4,8" --random 15 -o drawn --report drawn.html
page drawn.html
contains drawn.html "dots-2"
# shellcheck disable=SC2086
expect 0 sweep mult-dae $SMALL --epochs 2 --grid "dropout=0,0.3" -o one --refit --report one.html
page one.html
contains one.html "sweep-points"
holds one.html sweep-points "[row[0] for row in rows] == ['0', '0.3'] and rows[0][2] > 0"
# shellcheck disable=SC2086
expect 0 sweep mult-dae $SMALL --epochs 1 --grid "batch=100,10,1000" -o line --report line.html
page line.html
holds line.html sweep-line "[row[0] for row in rows] == ['10', '100', '1000'] and all(row[2] > 0 for row in rows)"
# Figure 1 of the MIL paper: the pairs (A, gamma) that a sweep tries, whatever else it varies
# shellcheck disable=SC2086
expect 0 sweep dae --device $DEVICE --threads 1 --held-out 200 --iterations 3 --latent 4 --grid "a_mi/gamma_mi=50/2,1e3/4,2e4/6;gamma_plus=1,2;alpha_enc=0,0.1" -o pairs --report pairs.html
page pairs.html
contains pairs.html "predicted%20preference%2Ca_mi%3D50%20gamma_mi%3D2%2Ca_mi%3D1e3%20gamma_mi%3D4%2Ca_mi%3D2e4%20gamma_mi%3D6%0D"
contains pairs.html "predicted%20preference%2Cgamma_plus%3D1%2Cgamma_plus%3D2%0D"
# in a browser: nothing on the console, which is where a refused request or a script would show; a page made bad on purpose shows that
# the console is heard
browser=$(command -v chromium || command -v chromium-browser) || exit 0
look()
{
    timeout 100 "$browser" --headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run --user-data-dir="$FOLDER/browser" \
        --enable-logging=stderr --virtual-time-budget=2000 --window-size=390,2000 --dump-dom "file://$FOLDER/$1" >dom 2>console || return 1
    grep CONSOLE console >said
    [ -s dom ]
}
sed 's|</body>|<script>x()</script><img src="pixel.png"></body>|' report.html >bad.html
look bad.html || exit 0    # no browser that works here
[ "$(wc -l <said)" -eq 2 ] || fail "a bad page was not noticed: $(cat said)"
for file in report sweep drawn bare; do
    look $file.html || fail "the browser fails on $file.html"
    [ -s said ] && fail "$file.html: $(cat said)"
    [ "$(grep -c 'class="plot"' dom)" -eq "$(grep -c 'class="plot"' $file.html)" ] || fail "$file.html: figures are lost"
done
exit 0
