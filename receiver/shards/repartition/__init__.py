"""Repartition: more partitions for an input and its table, without losing exactly-once.

An entry of a table must be where the records about its resource are handled. With more partitions
most resources have another home, so their entries move. What stands in the input already need not:
a shard that meets a record of another home appends it there (see Router and Poller), and so do
receivers that have not noticed yet that the topic has grown.

The steps, for one pair of topics, from N partitions to M:

1. *survey*: look, without changing anything, whether it can be done, and how long it takes;
2. *mark*: for each old partition start the session of its own transactional id, restore its table
   by barrier and commit its position with ``moving_to`` M;
3. *enlarge the table's topic*, and mark each new partition, with position 0;
4. *enlarge the input's topic*: records may arrive in its new partitions, and wait there;
5. *move* each entry in one transaction: written at its home, deleted where it was;
6. *finish*: commit each position with the counts M and without ``moving_to``, and with what the
   partitions have in common (the horizon of what the ledger has forgotten) merged in each.

Why no shard ever works on half a state, whatever its configuration says and whenever it starts:

- A shard that ran before the mark of its partition is fenced by it. It commits nothing more, and
  everything it had committed is before the barrier of step 2.
- A shard of any partition that starts between mark and finish reads ``moving_to`` before its own
  barrier, and refuses. Old partitions are marked before anything else changes. New ones are marked
  before step 4, and nobody owns a partition that the input does not have.
- Starting, it fences the session of this tool, which every later step on that partition needs. So
  the tool fails instead of going on beside it, or beside another one of its kind.
- Once the first position is finished, all entries are at home: their sessions are kept from mark to
  finish, so nothing was committed to those partitions by anybody else. A shard may start there at
  once. It needs M in its configuration, as the counts say; with N it refuses.

Why it can be interrupted anywhere, and run again:

- The state is in the positions alone. Marking twice changes nothing, topics are enlarged only if
  they are smaller, and what was moved is at home and stays. A partition that was finished already
  is marked and finished again, with the position that it has by then: a shard at work in it is
  fenced like any other.
- A transaction of which nobody knows whether it was committed is settled by the next run, which
  starts with a new session and a barrier.
"""
