"""What people and systems at a node need: accounts, sessions, drafts, hand-overs, notices, deadlines, search, counts of
flows; tokens, what was submitted under which key, webhooks and their deliveries.

Expand only: tables and indexes that are new, columns that may be empty. A program of revision 0002 goes on writing; what
it sends has no deadline at its sender, what it receives has one as before.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table('account',
    sa.Column('login', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('contact_point', sa.Text()),
    sa.Column('password_hash', sa.Text()),
    sa.Column('subject', sa.Text()),
    sa.Column('language', sa.Text()),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('disabled_at', sa.BigInteger()),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.Column('locked_until', sa.BigInteger()),
    sa.PrimaryKeyConstraint('login', name='pk_account'),
    sa.UniqueConstraint('subject', name='uq_account_subject')
    )
    op.create_table('audit_seal',
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('sealed_at', sa.BigInteger(), nullable=False),
    sa.Column('mac', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('position', name='pk_audit_seal'),
    sqlite_with_rowid=False
    )
    op.create_table('corridor_count',
    sa.Column('contact_point', sa.Text(), nullable=False),
    sa.Column('quarter', sa.Text(), nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('destination', sa.Text(), nullable=False),
    sa.Column('form', sa.Text(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('contact_point', 'quarter', 'origin', 'destination', 'form', name='pk_corridor_count'),
    sqlite_with_rowid=False
    )
    op.create_table('draft',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('contact_point', sa.Text(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('supersedes', sa.Text()),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.Column('submitted_at', sa.BigInteger()),
    sa.Column('decided_at', sa.BigInteger()),
    sa.Column('decided_by', sa.Text()),
    sa.Column('is_emergency', sa.Boolean(), nullable=False),
    sa.Column('message_id', sa.Text()),
    sa.Column('reviewed_at', sa.BigInteger()),
    sa.Column('reviewed_by', sa.Text()),
    sa.Column('wrapped_key', sa.LargeBinary()),
    sa.Column('ciphertext', sa.LargeBinary()),
    sa.PrimaryKeyConstraint('id', name='pk_draft')
    )
    op.create_index('ix_draft_contact_point_state_changed_at', 'draft', ['contact_point', 'state', 'changed_at'])
    op.create_index('ix_draft_message_id', 'draft', ['message_id'])
    op.create_table('handover',
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('contact_point', sa.Text(), nullable=False),
    sa.Column('given_by', sa.Text(), nullable=False),
    sa.Column('given_to', sa.Text()),
    sa.Column('given_at', sa.BigInteger(), nullable=False),
    sa.Column('taken_by', sa.Text()),
    sa.Column('taken_at', sa.BigInteger()),
    sa.Column('items', sa.JSON(), nullable=False),
    sa.Column('wrapped_key', sa.LargeBinary()),
    sa.Column('ciphertext', sa.LargeBinary()),
    sa.PrimaryKeyConstraint('position', name='pk_handover'),
    sa.UniqueConstraint('id', name='uq_handover_id')
    )
    op.create_index('ix_handover_contact_point_position', 'handover', ['contact_point', 'position'])
    op.create_table('notice',
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('contact_point', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('occasion', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('next_attempt_at', sa.BigInteger()),
    sa.Column('sent_at', sa.BigInteger()),
    sa.Column('given_up_at', sa.BigInteger()),
    sa.Column('last_error', sa.Text()),
    sa.PrimaryKeyConstraint('position', name='pk_notice'),
    sa.UniqueConstraint('id', name='uq_notice_id')
    )
    op.create_index('ix_notice_due', 'notice', ['next_attempt_at'], sqlite_where=sa.text('sent_at IS NULL AND given_up_at IS NULL'), postgresql_where=sa.text('sent_at IS NULL AND given_up_at IS NULL'))
    op.create_table('progress',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name='pk_progress'),
    sqlite_with_rowid=False
    )
    op.create_table('search_term',
    sa.Column('term', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('term', 'source', 'position', name='pk_search_term'),
    sqlite_with_rowid=False
    )
    op.create_index('ix_search_term_source_position', 'search_term', ['source', 'position'])
    op.create_table('web_session',
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('login', sa.Text(), nullable=False),
    sa.Column('began_at', sa.BigInteger(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger()),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['login'], ['account.login'], name='fk_web_session_login'),
    sa.PrimaryKeyConstraint('digest', name='pk_web_session')
    )
    op.create_index('ix_web_session_seen_at', 'web_session', ['seen_at'])
    op.add_column('inbox', sa.Column('taken_by', sa.Text()))
    op.add_column('inbox', sa.Column('taken_at', sa.BigInteger()))
    op.add_column('inbox', sa.Column('closed_by', sa.Text()))
    op.add_column('inbox', sa.Column('closed_at', sa.BigInteger()))
    op.add_column('inbox', sa.Column('reminded_at', sa.BigInteger()))
    op.add_column('inbox', sa.Column('alarmed_at', sa.BigInteger()))
    op.create_index('ix_inbox_contact_point_thread_position', 'inbox', ['contact_point', 'thread', 'position'])
    op.create_index('ix_inbox_in_work', 'inbox', ['contact_point', 'position'], sqlite_where=sa.text("acknowledge_by IS NOT NULL AND state NOT IN ('new', 'read', 'expired') AND closed_at IS NULL"), postgresql_where=sa.text("acknowledge_by IS NOT NULL AND state NOT IN ('new', 'read', 'expired') AND closed_at IS NULL"))
    op.create_index('ix_inbox_supersedes', 'inbox', ['contact_point', 'supersedes'], sqlite_where=sa.text('supersedes IS NOT NULL'), postgresql_where=sa.text('supersedes IS NOT NULL'))
    op.create_index('ix_inbox_unanswered', 'inbox', ['contact_point', 'acknowledge_by'], sqlite_where=sa.text("acknowledge_by IS NOT NULL AND state IN ('new', 'read')"), postgresql_where=sa.text("acknowledge_by IS NOT NULL AND state IN ('new', 'read')"))
    # Of a program before this one: whether it ever came cannot be told from when it was awaited.
    op.add_column('peer', sa.Column('first_heard_at', sa.BigInteger()))
    op.execute('UPDATE peer SET first_heard_at = heard_at')
    op.add_column('recipient', sa.Column('reply_within_s', sa.Integer()))
    op.add_column('recipient', sa.Column('reminded_at', sa.BigInteger()))
    op.add_column('recipient', sa.Column('alarmed_at', sa.BigInteger()))
    op.create_index('ix_recipient_awaited', 'recipient', ['delivered_at'], sqlite_where=sa.text('reply_within_s IS NOT NULL AND delivered_at IS NOT NULL AND acknowledged_at IS NULL'), postgresql_where=sa.text('reply_within_s IS NOT NULL AND delivered_at IS NOT NULL AND acknowledged_at IS NULL'))
    op.create_table('api_token',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('contact_point', sa.Text(), nullable=False),
    sa.Column('scopes', sa.JSON(), nullable=False),
    sa.Column('made_by', sa.Text(), nullable=False),
    sa.Column('made_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger()),
    sa.Column('revoked_at', sa.BigInteger()),
    sa.Column('used_at', sa.BigInteger()),
    sa.PrimaryKeyConstraint('name', name='pk_api_token'),
    sa.UniqueConstraint('digest', name='uq_api_token_digest')
    )
    op.create_table('submission',
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('request_sha256', sa.LargeBinary(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('token', 'key', name='pk_submission'),
    sqlite_with_rowid=False
    )
    op.create_index('ix_submission_at', 'submission', ['at'])
    op.create_table('webhook',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('contact_point', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('events', sa.JSON(), nullable=False),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=False),
    sa.Column('ciphertext', sa.LargeBinary(), nullable=False),
    sa.Column('made_by', sa.Text(), nullable=False),
    sa.Column('made_at', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('failing_since', sa.BigInteger()),
    sa.Column('disabled_at', sa.BigInteger()),
    sa.Column('reason', sa.Text()),
    sa.Column('busy_until', sa.BigInteger()),
    sa.Column('lease_token', sa.Text()),
    sa.PrimaryKeyConstraint('id', name='pk_webhook')
    )
    op.create_index('ix_webhook_contact_point', 'webhook', ['contact_point'])
    op.create_table('webhook_delivery',
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('webhook', sa.Text(), nullable=False),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('sender', sa.Text(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('code', sa.Text()),
    sa.Column('kind', sa.Text()),
    sa.Column('status', sa.Text()),
    sa.Column('urgency', sa.Text()),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('made_at', sa.BigInteger(), nullable=False),
    sa.Column('due_at', sa.BigInteger()),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('last_status', sa.Integer()),
    sa.Column('last_error', sa.Text()),
    sa.Column('last_at', sa.BigInteger()),
    sa.Column('answered_at', sa.BigInteger()),
    sa.Column('given_up_at', sa.BigInteger()),
    sa.PrimaryKeyConstraint('position', name='pk_webhook_delivery'),
    sa.UniqueConstraint('id', name='uq_webhook_delivery_id'),
    sa.UniqueConstraint('webhook', 'event', 'sender', 'message_id', 'recipient', 'state', name='uq_webhook_delivery_event')
    )
    op.create_index('ix_webhook_delivery_due', 'webhook_delivery', ['webhook', 'due_at'], sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
    op.create_index('ix_webhook_delivery_made_at', 'webhook_delivery', ['made_at'])
    op.create_index('ix_webhook_delivery_webhook_position', 'webhook_delivery', ['webhook', 'position'])
    op.create_table('recipient_news',
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('code', sa.Text()),
    sa.PrimaryKeyConstraint('message_id', 'recipient', 'state', name='pk_recipient_news'),
    sqlite_with_rowid=False
    )
