%% Copyright 2026 The ets_keeper Authors
%% SPDX-License-Identifier: Apache-2.0
%%
%% Measures ETS and the processes of the BEAM for ets.h. Each line of the input
%% is a request, each line of the output its answer:
%%
%%   find_hit u64 1000000 2 200        operation, row, rows, processes, for how
%%                                     many milliseconds at least
%%   find_hit u64 1000000 2 312.5      and then nanoseconds an operation: wall
%%                                     time by the operations of all processes
%%   error <why>
%%
%% Rows are {Key, Value}: u64 has integers that fit into a word of the BEAM,
%% str16 a binary of 16 bytes and one of 64. With two processes the table has
%% the options that ETS has for that.

-module(ets_measure).

-export([main/0]).

main() ->
    io:format("ready ~s~n", [erlang:system_info(otp_release)]),
    serve().

serve() ->
    case io:get_line("") of
        Line when is_list(Line) ->
            io:put_chars([answer(string:lexemes(Line, " \n")), "\n"]),
            serve();
        _ ->
            halt(0)
    end.

answer([Op, Row, Rows, Processes, Milliseconds]) ->
    try
        Ns = measure(list_to_atom(Op), list_to_atom(Row),
                     list_to_integer(Rows), list_to_integer(Processes),
                     list_to_integer(Milliseconds) * 1000000),
        io_lib:format("~s ~s ~s ~s ~.2f", [Op, Row, Rows, Processes, Ns])
    catch
        _:Reason -> io_lib:format("error ~0p", [Reason])
    end;
answer(_) ->
    "error a request has five words".

%% Tables

measure(insert, Row, Rows, Processes, Time) ->
    repeat(fun() -> insert_all(Row, Rows, Processes) end, Time);
measure(erase, Row, Rows, Processes, Time) ->
    repeat(fun() -> erase_all(Row, Rows, Processes) end, Time);
measure(find_hit, Row, Rows, Processes, Time) ->
    Table = filled(Row, Rows, Processes),
    in_processes(Row, Rows, Processes,
                 fun(Keys) -> cycle(Keys, Time, fun(K) -> find(Table, K) end)
                 end);
measure(update_counter, u64, Rows, Processes, Time) ->
    Table = filled(u64, Rows, Processes),
    in_processes(u64, Rows, Processes,
                 fun(Keys) -> cycle(Keys, Time, fun(K) -> add(Table, K) end)
                 end);
%% Processes, with one scheduler.
measure(Op, process, _, 1, Time) ->
    Online = erlang:system_flag(schedulers_online, 1),
    try
        repeat(fun() -> rounds(Op) end, Time)
    after
        erlang:system_flag(schedulers_online, Online)
    end.

find(Table, [K | Rest]) ->
    [{_, _}] = ets:lookup(Table, K),
    find(Table, Rest);
find(_, []) ->
    ok.

add(Table, [K | Rest]) ->
    _ = ets:update_counter(Table, K, 1),
    add(Table, Rest);
add(_, []) ->
    ok.

insert(Table, Value, [K | Rest]) ->
    ets:insert(Table, {K, Value}),
    insert(Table, Value, Rest);
insert(_, _, []) ->
    ok.

erase(Table, [K | Rest]) ->
    ets:delete(Table, K),
    erase(Table, Rest);
erase(_, []) ->
    ok.

new_table(1) ->
    ets:new(measured, [set, public]);
new_table(_) ->
    ets:new(measured, [set, public, {read_concurrency, true},
                       {write_concurrency, auto}]).

value(u64) -> 1;
value(str16) -> binary:copy(<<"v">>, 64).

%% Another key for each index: the factor is odd. It fits into a word.
key(u64, Index) ->
    (Index * 16#9e3779b97f4a7c15) band 16#7ffffffffffffff;
key(str16, Index) ->
    Word = key(u64, Index),
    <<Word:64, (bnot Word):64>>.

keys(Row, From, To) -> [key(Row, I) || I <- lists:seq(From, To)].

%% In an order of its own for each process.
shuffled(Row, Rows) ->
    [K || {_, K} <- lists:sort([{rand:uniform(), key(Row, I)}
                                || I <- lists:seq(1, Rows)])].

%% Kept from one request to the next.
filled(Row, Rows, Processes) ->
    Name = {Row, Rows, Processes},
    case get(Name) of
        undefined ->
            Table = new_table(Processes),
            insert(Table, value(Row), keys(Row, 1, Rows)),
            put(Name, Table),
            Table;
        Table ->
            Table
    end.

%% What is done in some processes at a time: each runs Work(Keys), which gives
%% {Operations, Nanoseconds}, with all keys.
in_processes(Row, Rows, Processes, Work) ->
    Results = at_once(Processes,
                      fun(_) -> shuffled(Row, Rows) end, Work),
    %% Operations of all by the wall time of one.
    1 / lists:sum([Operations / Ns || {Operations, Ns} <- Results]).

%% Prepares in each process, and lets them all begin together.
at_once(Processes, Prepare, Work) ->
    Self = self(),
    Pids = [spawn_opt(fun() ->
                          Prepared = Prepare(I),
                          garbage_collect(),
                          Self ! {ready, self()},
                          receive go -> ok end,
                          Self ! {done, self(), Work(Prepared)}
                      end, [link])
            || I <- lists:seq(1, Processes)],
    [receive {ready, Pid} -> ok end || Pid <- Pids],
    [Pid ! go || Pid <- Pids],
    [receive {done, Pid, Result} -> Result end || Pid <- Pids].

%% All keys again and again, until the time is over.
cycle(Keys, Time, Visit) ->
    Visit(lists:sublist(Keys, 10000)),
    cycle(Keys, length(Keys), Time, Visit, 0, now_ns()).

cycle(Keys, Length, Time, Visit, Rounds, Begin) ->
    Visit(Keys),
    case now_ns() - Begin of
        Ns when Ns < Time ->
            cycle(Keys, Length, Time, Visit, Rounds + 1, Begin);
        Ns ->
            {(Rounds + 1) * Length, Ns}
    end.

%% Each process its share of the rows, into a table that grows; or into many, one
%% after the other, where a single one would be over too soon to be timed.
insert_all(Row, Rows, Processes) ->
    Tables = [new_table(Processes) || _ <- lists:seq(1, copies(Rows))],
    Value = value(Row),
    Ns = wall(Processes,
              fun(I) -> share(Row, Rows, Processes, I) end,
              fun(Keys) -> [insert(T, Value, Keys) || T <- Tables] end),
    ended_with(Rows, Tables, Ns).

erase_all(Row, Rows, Processes) ->
    Keys = keys(Row, 1, Rows),
    Tables = [new_table(Processes) || _ <- lists:seq(1, copies(Rows))],
    [insert(T, value(Row), Keys) || T <- Tables],
    Ns = wall(Processes,
              fun(I) -> share(Row, Rows, Processes, I) end,
              fun(Share) -> [erase(T, Share) || T <- Tables] end),
    {_, Ns} = ended_with(0, Tables, Ns),
    {Rows * length(Tables), Ns}.

copies(Rows) -> max(1, 50000 div Rows).

ended_with(Rows, Tables, Ns) ->
    [begin
         Rows = ets:info(T, size),
         ets:delete(T)
     end || T <- Tables],
    {Rows * length(Tables), Ns}.

share(Row, Rows, Processes, I) ->
    keys(Row, (I - 1) * Rows div Processes + 1, I * Rows div Processes).

%% From when all are let go until the last is ready.
wall(Processes, Prepare, Work) ->
    Times = at_once(Processes, Prepare,
                    fun(Prepared) ->
                        Begin = now_ns(),
                        Work(Prepared),
                        {Begin, now_ns()}
                    end),
    {Begins, Ends} = lists:unzip(Times),
    lists:max(Ends) - lists:min(Begins).

%% Nanoseconds an operation of Work(), which gives {Operations, Nanoseconds}.
repeat(Work, Time) -> repeat(Work, Time, 0, 0).

repeat(_, Time, Operations, Ns) when Ns >= Time, Operations > 0 ->
    Ns / Operations;
repeat(Work, Time, Operations, Ns) ->
    {More, MoreNs} = Work(),
    repeat(Work, Time, Operations + More, Ns + max(MoreNs, 1)).

now_ns() -> erlang:monotonic_time(nanosecond).

%% Processes. Each takes place in a process of its own, whose mailbox is empty.

-define(ROUNDS, 20000).

rounds(Op) ->
    [Result] = at_once(1, fun(_) -> prepare(Op) end,
                       fun(Prepared) -> rounds(Op, Prepared) end),
    Result.

prepare(message_round_trip) -> spawn_link(fun echo/0);
prepare(_) -> none.

echo() ->
    receive
        {From, Word} -> From ! Word, echo()
    end.

rounds(heir, _) ->
    {?ROUNDS div 20, lists:sum([heir() || _ <- lists:seq(1, ?ROUNDS div 20)])};
rounds(Op, Prepared) ->
    Begin = now_ns(),
    round_of(Op, Prepared, ?ROUNDS),
    {?ROUNDS, now_ns() - Begin}.

round_of(_, _, 0) ->
    ok;
round_of(message_round_trip, Echo, N) ->
    Echo ! {self(), N},
    receive N -> ok end,
    round_of(message_round_trip, Echo, N - 1);
round_of(spawn_exit, none, N) ->
    ended(spawn_monitor(fun() -> ok end)),
    round_of(spawn_exit, none, N - 1);
round_of(table_with_worker, none, N) ->
    ended(spawn_monitor(fun() -> ets:new(worked, [set, protected]) end)),
    round_of(table_with_worker, none, N - 1).

ended({Pid, Ref}) ->
    receive {'DOWN', Ref, process, Pid, _} -> ok end.

%% From the kill of the owner until the heir has the table.
heir() ->
    Self = self(),
    Owner = spawn(fun() ->
                      Table = ets:new(kept, [set, {heir, Self, none}]),
                      ets:insert(Table, {1, 1}),
                      Self ! {owns, Table},
                      receive never -> ok end
                  end),
    Table = receive {owns, Owned} -> Owned end,
    Begin = now_ns(),
    exit(Owner, kill),
    receive {'ETS-TRANSFER', Table, Owner, none} -> ok end,
    End = now_ns(),
    ets:delete(Table),
    End - Begin.
